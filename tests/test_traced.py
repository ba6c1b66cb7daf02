"""`antspy.opentelemetry.traced`: a span for each task, with the submitter's as its parent."""

import asyncio
import doctest
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import antspy
import pytest
from antspy import MultiPool, Pool, PoolWithFunc, ThreadPoolExecutor
from support import LIMIT, Gate, library

library("opentelemetry.sdk")

from antspy import opentelemetry  # noqa: E402
from antspy.opentelemetry import TracedPool, traced  # noqa: E402
from antspy.watch.snapshot import Watch  # noqa: E402
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: E402
from opentelemetry.trace import SpanKind, StatusCode, get_current_span  # noqa: E402


class Spans:
    """A provider, and the spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("tests")

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all() if span.name == name]

    def only(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


@pytest.fixture
def spans() -> Spans:
    return Spans()


def work(value: int = 3) -> int:
    return value


async def through_arun(pool: TracedPool) -> int:
    return await pool.arun(work, 3)


async def through_asubmit(pool: TracedPool) -> int:
    return await (await pool.asubmit(work, value=3))


async def through_amap(pool: TracedPool) -> int:
    (result,) = [result async for result in pool.amap(work, [3])]
    return result


async def through_the_loop(pool: TracedPool) -> int:
    return await asyncio.get_running_loop().run_in_executor(pool, work, 3)


async def through_an_async_group(pool: TracedPool) -> int:
    async with pool.group() as group:
        future = await group.asubmit(work, 3)
    return await future


def through_go(pool: TracedPool) -> int:
    seen = []

    def work(value: int) -> None:
        seen.append(value)

    work.__qualname__ = "work"
    pool.go(work, 3)
    assert pool.wait(LIMIT)
    return seen[0]


def through_a_group(pool: TracedPool) -> int:
    with pool.group() as group:
        future = group.submit(work, 3)
    return future.result(LIMIT)


WAYS: dict[str, Callable[[TracedPool], int]] = {
    "submit": lambda pool: pool.submit(work, value=3).result(LIMIT),
    "go": through_go,
    "map": lambda pool: sum(pool.map(work, [3])),
    "map in chunks": lambda pool: sum(pool.map(work, [3], chunksize=4)),
    "options": lambda pool: pool.options(priority="high").submit(work).result(LIMIT),
    "group": through_a_group,
    "arun": lambda pool: asyncio.run(through_arun(pool)),
    "asubmit": lambda pool: asyncio.run(through_asubmit(pool)),
    "amap": lambda pool: asyncio.run(through_amap(pool)),
    "run_in_executor": lambda pool: asyncio.run(through_the_loop(pool)),
    "async group": lambda pool: asyncio.run(through_an_async_group(pool)),
}


@pytest.fixture(
    params=[
        lambda: Pool(2, thread_name_prefix="own"),
        lambda: ThreadPoolExecutor(2, thread_name_prefix="own"),
        lambda: MultiPool(2, 2, thread_name_prefix="own"),
    ],
    ids=["Pool", "ThreadPoolExecutor", "MultiPool"],
)
def pool(request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param() as pool:
        yield pool


@pytest.mark.parametrize("way", WAYS)
def test_a_task_has_a_span_whose_parent_is_the_submitters(way: str, pool: Any, spans: Spans) -> None:
    with spans.tracer.start_as_current_span("request") as request:
        assert WAYS[way](traced(pool, spans.provider)) == 3
        assert get_current_span() is request
    assert pool.wait(LIMIT)
    span = spans.only("work")
    assert span.parent is not None
    assert span.parent.span_id == request.get_span_context().span_id
    assert span.kind is SpanKind.INTERNAL
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes is not None
    assert span.attributes["antspy.pool.name"] == "own"
    queued = span.attributes["antspy.task.queue_time"]
    assert isinstance(queued, float)
    assert 0 <= queued < LIMIT
    assert len(spans.all()) == 2


def test_a_task_that_nobody_has_a_span_for_is_a_root(pool: Any, spans: Spans) -> None:
    traced(pool, spans.provider).submit(work).result(LIMIT)
    pool.wait(LIMIT)
    assert spans.only("work").parent is None


def test_what_a_task_raises_is_recorded(pool: Any, spans: Spans) -> None:
    with pytest.raises(ValueError, match="no number"):
        traced(pool, spans.provider).submit(int, "no number").result(LIMIT)
    pool.wait(LIMIT)
    span = spans.only("int")
    assert span.status.status_code is StatusCode.ERROR
    (event,) = span.events
    assert event.attributes is not None
    assert (event.name, event.attributes["exception.type"]) == ("exception", "ValueError")


def test_a_span_has_the_tasks_name_or_the_functions(spans: Spans) -> None:
    class Called:
        def __call__(self) -> None: ...

    with Pool(1, thread_name_prefix="own") as pool:
        view = traced(pool, spans.provider)
        for fn in (work, partial(partial(work)), Called(), pool.stats):
            view.submit(fn).result(LIMIT)
        view.options(name="one").submit(work).result(LIMIT)
        view.options(name="two").options(priority="low").submit(work).result(LIMIT)
        view.options(name="three").options(name=None).subpool(1).submit(work).result(LIMIT)
        traced(pool.options(name="four"), spans.provider).submit(work).result(LIMIT)
        traced(pool.subpool(1), spans.provider).options(name="five").submit(work).result(LIMIT)
        assert view.options(name="six").submit(work).name == "six"
    called = test_a_span_has_the_tasks_name_or_the_functions.__qualname__ + ".<locals>.Called"
    names = ["work", "work", called, "Pool.stats", "one", "two", "work", "four", "five", "six"]
    assert [span.name for span in spans.all()] == names
    assert {(span.attributes or {})["antspy.pool.name"] for span in spans.all()} == {"own"}


def test_the_time_in_the_queue_is_told(gate: Gate, spans: Spans) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        future = traced(pool, spans.provider).submit(work)
        threading.Event().wait(0.05)
        gate.open()
        future.result(LIMIT)
    queued = (spans.only("work").attributes or {})["antspy.task.queue_time"]
    assert isinstance(queued, float)
    assert 0.05 <= queued < LIMIT


def test_a_task_of_a_task_is_a_grandchild(pool: Any, spans: Spans) -> None:
    view = traced(pool, spans.provider)

    def outer() -> int:
        return view.submit(work).result(LIMIT)

    with Pool(1) as nested:
        view = traced(nested, spans.provider)
        view.options(name="outer").submit(outer).result(LIMIT)
    inner, outside = spans.only("work"), spans.only("outer")
    assert inner.parent is not None
    assert inner.parent.span_id == outside.context.span_id
    assert inner.context.trace_id == outside.context.trace_id


def test_a_maps_items_belong_to_whoever_asks(spans: Spans) -> None:
    with Pool(1) as pool:
        view = traced(pool, spans.provider)
        with spans.tracer.start_as_current_span("begins") as begins:
            results = view.map(work, iter([0, 1]))
        with spans.tracer.start_as_current_span("asks") as asks:
            assert list(results) == [0, 1]
    parents = [span.parent.span_id for span in spans.named("work") if span.parent]
    assert parents == [begins.get_span_context().span_id, asks.get_span_context().span_id]


def test_a_map_stays_lazy_and_takes_what_the_pools_does(
    spans: Spans, capsys: pytest.CaptureFixture[str]
) -> None:
    with Pool(2) as pool:
        view = traced(pool, spans.provider)
        assert list(view.map(pow, [2, 3], [5, 2], buffersize=1, timeout=LIMIT)) == [32, 9]
        assert list(view.map(abs)) == []
        assert list(view.map(work, range(5), progress=True)) == list(range(5))
        assert "work" in capsys.readouterr().err
        results = view.map(work, iter(int, 1))
        next(results)
        assert pool.stats().submitted <= 2 + 5 + 2 + 2
        results.close()  # type: ignore[attr-defined]


def test_many_submitters_each_have_their_own_children(pool: Any, spans: Spans) -> None:
    view = traced(pool, spans.provider)

    def submit(number: int) -> int:
        with spans.tracer.start_as_current_span("request") as request:
            futures = [view.options(name=f"task {number}").submit(work, value) for value in range(5)]
            assert [future.result(LIMIT) for future in futures] == list(range(5))
        return request.get_span_context().span_id

    with Pool(4) as submitters:
        expected = list(submitters.map(submit, range(20)))
    pool.wait(LIMIT)
    for number, span in enumerate(expected):
        assert [it.parent.span_id for it in spans.named(f"task {number}") if it.parent] == [span] * 5


def test_what_is_not_about_tasks_is_the_pools_own(spans: Spans) -> None:
    async def main() -> None:
        async with traced(Pool(2), spans.provider) as pool:
            assert await pool.arun(work) == 3
        assert pool.closed

    asyncio.run(main())
    with traced(Pool(2), spans.provider) as pool:
        pool.tune(5)
        assert (pool.capacity, pool.stats().capacity) == (5, 5)
        assert repr(pool).startswith("<TracedPool of <Pool open capacity=5")
        with pytest.raises(AttributeError, match=r"TracedPool.*_nothing"):
            _ = pool._nothing
    assert pool.closed


def test_what_cannot_be_traced_is_named(spans: Spans) -> None:
    with PoolWithFunc(abs, 1) as one, Pool(1) as pool:
        for bad in (one, None, Pool, threading):
            with pytest.raises(TypeError, match=r"pool must be a pool, with submit\(\) and go\(\), not"):
                traced(bad)
        with pytest.raises(TypeError, match="pool is traced already"):
            traced(traced(pool))
        view: Any = traced(pool)
        for call in (view.submit, view.go, view.map, view.arun, view.amap):
            with pytest.raises(TypeError, match="fn must be callable, not 3"):
                call(3)
        assert pool.stats().submitted == 0


def test_an_exception_does_not_keep_what_its_task_was_called_with(spans: Spans) -> None:
    class Argument:
        pass

    def fail(argument: Argument) -> None:
        del argument
        raise ValueError("failed")

    with Pool(1) as pool:
        argument = Argument()
        gone = weakref.ref(argument)
        future = traced(pool, spans.provider).submit(fail, argument)
        error = future.exception(LIMIT)
        del argument
        pool.wait(LIMIT)
        gc.collect()
        assert isinstance(error, ValueError)
        assert gone() is None


def test_whoever_watches_sees_the_functions_name(gate: Gate) -> None:
    def waits(_: object = None) -> None:
        gate()

    with closing(Watch()) as watch, Pool(3, thread_name_prefix="own") as pool:
        view = traced(pool)
        view.go(waits)
        view.options(name="named").go(waits)
        view.map(waits, [1])
        gate.wait_entered(3)
        (shown,) = [one for one in watch.snapshot(False, 9)["pools"] if one["name"] == "own"]
        assert sorted(task["name"].rpartition(".")[2] for task in shown["tasks"]) == [
            "named",
            "waits",
            "waits",
        ]
        gate.open()


def test_with_the_sampler_off_nothing_is_recorded() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with traced(Pool(1), provider) as pool:
        assert pool.submit(work).result(LIMIT) == 3
        # Without an SDK, too.
        assert traced(antspy.default_pool()).submit(work).result(LIMIT) == 3
    assert exporter.get_finished_spans() == ()


def test_the_examples_in_its_docstrings_are_true() -> None:
    tests = doctest.testmod(opentelemetry)
    assert tests.attempted > 0
    assert tests.failed == 0
