"""A plugin of pytest: it fails a test that leaves open pools, workers or exceptions behind.

It is loaded by who wants it, and costs nobody else anything: `pytest_plugins = ["antspy.testing.plugin"]` in
the `conftest.py` of the root, or `-p antspy.testing.plugin`. Then it looks after every test; the marker
`antspy_leaks` exempts one. A failing test shows the seeds of the seeded pools that it has made.
"""

from collections.abc import Callable, Iterator

try:
    import pytest
except ImportError:  # nothing here is used without it
    pass
else:
    from .ledger import Ledger, watch

    _KEY = pytest.StashKey[Ledger]()
    _FAILED = pytest.StashKey[bool]()
    _END = pytest.StashKey[Callable[[], None]]()

    def pytest_configure(config: pytest.Config) -> None:
        config.addinivalue_line("markers", "antspy_leaks: the test may leave pools of antspy behind")
        config.stash[_END] = watch()

    def pytest_unconfigure(config: pytest.Config) -> None:
        config.stash[_END]()

    @pytest.fixture(autouse=True)
    def no_antspy_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
        """Fail a test that leaves open pools, workers or exceptions behind."""
        ledger = Ledger()
        request.node.stash[_KEY] = ledger
        ledger.begin()
        yield
        if request.node.stash.get(_FAILED, False):
            ledger.end()  # the exception's traceback holds what the test has not got to end
            return
        left = ledger.settle()
        if left and request.node.get_closest_marker("antspy_leaks") is None:
            pytest.fail("the test left behind:\n" + "\n".join(f"  {line}" for line in left), pytrace=False)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
        outcome = yield
        report = outcome.get_result()  # type: ignore[attr-defined]
        ledger = item.stash.get(_KEY, None)
        if report.failed or hasattr(report, "wasxfail"):
            item.stash[_FAILED] = True
        if report.failed and ledger is not None and ledger.seeds:
            report.sections.append(("antspy: seeds", "\n".join(ledger.seeds)))
