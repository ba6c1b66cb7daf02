"""The plugin of pytest: real tests that leave something behind fail, in a pytest of their own."""

import subprocess
import sys
import textwrap
from pathlib import Path

from support import LIMIT, run_program


def outcome(folder: Path, source: str, *options: str) -> str:
    folder.joinpath("test_it.py").write_text(textwrap.dedent(source))
    command = [sys.executable, "-m", "pytest", "-p", "antspy.testing.plugin", "-q", "--rootdir", str(folder)]
    ended = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options, "test_it.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    return ended.stdout + ended.stderr


def test_what_is_left_behind_is_named(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
        import threading
        import antspy, pytest
        KEPT = []

        def test_open():
            KEPT.append(antspy.Pool(3))

        def test_open_threads():
            KEPT.append(antspy.ThreadPoolExecutor(3))

        def test_go():
            with antspy.Pool(1) as pool:
                pool.options(name="the sum").go(int, "x")

        def test_unseen():
            with antspy.Pool(1) as pool:
                pool.submit(int, "y")

        @pytest.mark.antspy_leaks
        def test_allowed():
            KEPT.append(antspy.Pool(3))

        def test_clean():
            with antspy.Pool(1) as pool:
                assert pool.submit(int).result() == 0
                with pytest.raises(ValueError):
                    pool.submit(int, "x").result()
        """,
    )
    assert "6 passed, 4 errors" in said, said
    assert f"a pool is open: <Pool open capacity=3 running=0>, made at {tmp_path}/test_it.py:7" in said
    assert f"made at {tmp_path}/test_it.py:10" in said
    assert "an exception that nobody looked at: ValueError(" in said
    assert "(in the task 'the sum')" in said
    for clean in ("test_clean", "test_allowed"):
        assert f"ERROR test_it.py::{clean}" not in said


def test_the_seed_of_a_failing_test_is_shown(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
        from antspy.testing import SeededPool

        def test_order():
            with SeededPool(2, seed=4711) as pool:
                first = pool.submit(int)
            assert first.result() == 1
        """,
    )
    assert "1 failed" in said, said
    assert f"SeededPool(seed=4711), made at {tmp_path}/test_it.py:5" in said


def test_a_worker_that_stays_is_named(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
        import threading
        import antspy
        stay = threading.Event()
        KEPT = []

        def test_stays():
            pool = antspy.Pool(1, thread_name_prefix="late")
            KEPT.append(pool)
            pool.go(stay.wait)
            pool.release()

        def test_clean():
            stay.set()
        """,
    )
    assert "2 passed, 1 error" in said, said
    assert "a closed pool still has workers: late_0 of <Pool closed" in said


def test_exceptions_are_seen_whatever_logging_does(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
        import logging.config
        import antspy

        def test_disabled():
            logging.config.dictConfig({"version": 1})
            assert logging.getLogger("antspy").disabled
            with antspy.Pool(1) as pool:
                pool.go(int, "x")

        def test_handler_raises():
            def handler(error):
                raise KeyError
            with antspy.Pool(1, exception_handler=handler) as pool:
                pool.go(int, "y")

        def test_handler():
            with antspy.Pool(1, exception_handler=repr) as pool:
                pool.go(int, "z")
        """,
    )
    assert "3 passed, 2 errors" in said, said
    assert "an exception that nobody looked at: ValueError(" in said  # in CI the summary says it again


def test_a_failing_test_has_one_fault(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
        import antspy, pytest

        def test_fails():
            pool = antspy.Pool(1)
            assert pool.submit(int).result() == 1

        @pytest.mark.xfail
        def test_is_expected_to():
            pool = antspy.Pool(1)
            assert pool.submit(int).result() == 1

        def test_next():
            pass
        """,
    )
    assert "1 failed, 1 passed, 1 xfailed in" in said, said


def test_the_default_pool_is_blamed_for_what_is_new(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
        import threading
        import antspy, pytest
        from antspy.testing import ledger

        @pytest.fixture(scope="session", autouse=True)
        def server():
            end = threading.Event()
            antspy.go(end.wait)
            yield
            end.set()

        @pytest.fixture(scope="session", autouse=True)
        def patience():
            was = ledger.Ledger.__init__.__defaults__
            ledger.Ledger.__init__.__defaults__ = (0.2,)
            yield
            ledger.Ledger.__init__.__defaults__ = was

        @pytest.fixture(scope="session")
        def late():
            end = threading.Event()
            yield end
            end.set()

        def test_clean():
            assert antspy.submit(int).result() == 0

        def test_leaves_one(late):
            antspy.go(late.wait)

        def test_next():
            antspy.go(int)
        """,
    )
    assert "3 passed, 1 error" in said, said
    assert "the default pool has more unfinished tasks than before the test, by 1" in said
    assert "ERROR test_it.py::test_leaves_one" in said


def test_a_worker_of_a_dropped_pool_is_named(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
        import threading
        import antspy, pytest
        from antspy.testing import ledger
        stay = threading.Event()
        KEPT = []

        @pytest.fixture(scope="session", autouse=True)
        def patience():
            was = ledger.Ledger.__init__.__defaults__
            ledger.Ledger.__init__.__defaults__ = (0.5,)
            yield
            ledger.Ledger.__init__.__defaults__ = was
            stay.set()

        def test_not_begun():
            antspy.Pool(1, thread_name_prefix="early").go(stay.wait)

        def test_in_its_midst():
            begun = threading.Event()
            pool = antspy.Pool(1, thread_name_prefix="late")
            pool.go(lambda: (begun.set(), stay.wait()))
            begun.wait()

        def test_leaves_in_time():
            pool = antspy.Pool(2)
            pool.go(int)

        def test_only_its_iterator_is_kept():
            pool = antspy.Pool(2)
            KEPT.append(pool.map(abs, [1, 2]))
            assert list(KEPT[0]) == [1, 2]

        def test_standard():
            pool = antspy.ThreadPoolExecutor(2)
            pool.submit(int).result()
        """,
    )
    assert "5 passed, 2 errors" in said, said
    assert f"a dropped pool still has workers: early_0 of Pool, made at {tmp_path}/test_it.py:17" in said
    assert f"a dropped pool still has workers: late_0 of Pool, made at {tmp_path}/test_it.py:21" in said


def test_without_pytest_the_module_is_empty() -> None:
    source = """
    import sys
    sys.modules["pytest"] = None
    import antspy.testing.plugin as plugin
    assert not hasattr(plugin, "pytest_configure")
    """
    assert run_program(source) == ""


def test_the_package_does_not_import_it() -> None:
    source = """
    import sys
    import antspy
    assert not [name for name in sys.modules if name.startswith("antspy.testing")]
    import antspy.testing
    assert "pytest" not in sys.modules
    """
    assert run_program(source) == ""
