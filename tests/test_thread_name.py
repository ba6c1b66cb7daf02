"""What workers are called: in Python, in the log, in the system."""

import logging
import threading
from pathlib import Path

import pytest
from antspy import MultiPool, Pool
from support import LIMIT, TASKS, Gate, eventually

linux = pytest.mark.skipif(not TASKS.exists(), reason="reads what Linux shows of threads")


def my_name() -> str:
    return threading.current_thread().name


def system_name(thread: int) -> str:
    """Return what the system calls a thread."""
    return (TASKS / str(thread) / "comm").read_bytes().removesuffix(b"\n").decode()


def my_system_name() -> str:
    return system_name(threading.get_native_id())


def workers(pool: Pool, count: int) -> list[threading.Thread]:
    """Return as many of the pool's threads, all of which are at work at once."""
    barrier = threading.Barrier(count)

    def this(_: int) -> threading.Thread:
        barrier.wait(LIMIT)
        return threading.current_thread()

    return list(pool.map(this, range(count)))


def test_workers_are_called_by_the_prefix_and_a_number() -> None:
    with Pool(3, thread_name_prefix="ant") as pool:
        assert {thread.name for thread in workers(pool, 3)} == {"ant_0", "ant_1", "ant_2"}


def test_workers_of_pools_without_a_prefix_have_names_of_their_own() -> None:
    with Pool(1) as one, Pool(1) as other:
        names = [pool.submit(my_name).result(LIMIT) for pool in (one, other)]
    assert all(name.startswith("Pool-") for name in names)
    assert len(set(names)) == 2


def test_no_two_workers_of_a_pool_have_one_name() -> None:
    with Pool(1, expiry=10, thread_name_prefix="ant") as pool:
        names: list[str] = []
        for _ in range(3):
            names.append(pool.submit(my_name).result(LIMIT))
            pool._advance_clock(11)
            eventually(lambda: pool.running == 0)
    assert names == ["ant_0", "ant_1", "ant_2"]


def test_a_worker_is_its_own_current_thread_and_listed_while_it_lives() -> None:
    with Pool(2, thread_name_prefix="listed") as pool:
        before = threading.active_count() - pool.running
        threads = workers(pool, 2)
        assert threading.active_count() == before + 2
        assert {it.name for it in threading.enumerate()} >= {"listed_0", "listed_1"}
        assert all(thread in threading.enumerate() and thread.is_alive() for thread in threads)
        assert len({thread.ident for thread in threads}) == 2
    assert threading.active_count() == before
    assert not [it.name for it in threading.enumerate() if it.name.startswith("listed")]


def test_a_worker_knows_its_idents() -> None:
    def idents() -> tuple[bool, bool]:
        this = threading.current_thread()
        return this.ident == threading.get_ident(), this.native_id == threading.get_native_id()

    with Pool(1) as pool:
        assert pool.submit(idents).result(LIMIT) == (True, True)


@linux
def test_the_native_id_is_the_systems() -> None:
    with Pool(1, thread_name_prefix="ant") as pool:
        (thread,) = workers(pool, 1)
        assert thread.native_id is not None
        assert system_name(thread.native_id) == "ant_0"


def test_the_log_names_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    with Pool(1, thread_name_prefix="ant") as pool:
        pool.submit(logging.getLogger("of a task").warning, "told").result(LIMIT)
    (record,) = caplog.records
    assert record.threadName == "ant_0"
    assert logging.Formatter("%(threadName)s").format(record) == "ant_0"


@linux
@pytest.mark.parametrize(
    ("prefix", "shown"),
    [
        ("ant", "ant_0"),
        ("thirteen-char", "thirteen-char_0"),
        ("fourteen-chars", "fourteen-char_0"),
        ("a-name-of-more-than-15-characters", "a-name-of-mor_0"),
        ("ThreadPoolExecutor-12", "ThreadPool-12_0"),
        ("ameise-größer", "ameise-größ_0"),
        ("ああああああ", "ああああ_0"),
        ("🐜🐜🐜🐜🐜", "🐜🐜🐜_0"),
    ],
)
def test_the_system_knows_a_worker_by_its_name_as_far_as_there_is_room(prefix: str, shown: str) -> None:
    with Pool(1, thread_name_prefix=prefix) as pool:
        assert pool.submit(my_name).result(LIMIT) == f"{prefix}_0"
        assert pool.submit(my_system_name).result(LIMIT) == shown


@linux
def test_the_system_can_tell_workers_with_a_long_prefix_apart() -> None:
    with Pool(12, thread_name_prefix="averylongprefix", prealloc=True) as pool:
        ids = [thread.native_id for thread in workers(pool, 12)]
        names = {system_name(it) for it in ids if it is not None}
    assert names == {f"averylongpref_{n}" for n in range(10)} | {"averylongpre_10", "averylongpre_11"}


@linux
def test_the_system_can_tell_the_pools_of_a_multi_pool_apart() -> None:
    with MultiPool(2, 1, thread_name_prefix="averylongprefix") as multi:
        names = [pool.submit(my_system_name).result(LIMIT) for pool in multi.pools]
    assert names == ["averylongpr-0_0", "averylongpr-1_0"]


@linux
def test_the_thread_that_watches_deadlines_has_a_name(gate: Gate) -> None:
    def names() -> list[str]:
        return [(Path(task) / "comm").read_text().strip() for task in TASKS.iterdir()]

    with Pool(1, thread_name_prefix="ant", queue_size=1) as pool:
        pool.go(gate)
        pool.options(deadline=100).go(int)
        eventually(lambda: "ant_deadlines" in names())
        gate.open()


@pytest.mark.parametrize(
    ("prefix", "error", "what"),
    [
        ("null \0", ValueError, r"must not hold a null byte: 'null \x00'"),
        ("lone \udc80", ValueError, r"must not hold a lone surrogate: 'lone \udc80'"),
        (b"bytes", TypeError, "must be a str, not b'bytes'"),
        (None, TypeError, "must be a str, not None"),
    ],
)
def test_what_cannot_be_a_threads_name_is_refused(prefix: object, error: type[Exception], what: str) -> None:
    with pytest.raises(error) as caught:
        Pool(1, thread_name_prefix=prefix)  # type: ignore[arg-type]
    assert str(caught.value) == f"thread_name_prefix {what}"
