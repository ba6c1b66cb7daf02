"""The span in which a task is submitted is the parent of the task's spans."""

import asyncio
import concurrent.futures
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import antspy
import pytest
from support import LIMIT, library

library("opentelemetry.sdk")

from opentelemetry import baggage, context, trace  # noqa: E402
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402

ThreadingInstrumentor = library("opentelemetry.instrumentation.threading").ThreadingInstrumentor

Submit = Callable[[antspy.Pool, Callable[..., Any]], object]

WAYS: dict[str, Submit] = {
    "go": lambda pool, fn: pool.go(fn, "task"),
    "submit": lambda pool, fn: pool.submit(fn, "task").result(LIMIT),
    "map": lambda pool, fn: list(pool.map(fn, ["task"])),
    "options": lambda pool, fn: pool.options(name="named").submit(fn, "task").result(LIMIT),
    "subpool": lambda pool, fn: pool.subpool(1).submit(fn, "task").result(LIMIT),
    "group": lambda pool, fn: in_group(pool, fn),
    "wait group": lambda pool, fn: in_wait_group(pool, fn),
    "arun": lambda pool, fn: asyncio.run(in_coroutine(pool, fn)),
    "run_in_executor": lambda pool, fn: asyncio.run(in_loop(pool, fn)),
}


def in_group(pool: antspy.Pool, fn: Callable[..., Any]) -> None:
    with pool.group() as group:
        group.submit(fn, "task")


def in_wait_group(pool: antspy.Pool, fn: Callable[..., Any]) -> None:
    with antspy.WaitGroup(pool) as group:
        group.go(fn, "task")


async def in_coroutine(pool: antspy.Pool, fn: Callable[..., Any]) -> None:
    await pool.arun(fn, "task")


async def in_loop(pool: antspy.Pool, fn: Callable[..., Any]) -> None:
    await asyncio.get_running_loop().run_in_executor(pool, fn, "task")


class Traced:
    """A tracer of its own, and the spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer("tests")

    def task(self, name: str) -> list[str]:
        """Have a span; return what functions are being called."""
        with self.tracer.start_as_current_span(name):
            return [entry.name for entry in traceback.extract_stack()]

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def parents(self, name: str) -> list[int | None]:
        return [span.parent.span_id if span.parent else None for span in self.spans(name)]


@pytest.fixture
def traced() -> Traced:
    return Traced()


@pytest.fixture(params=[antspy.Pool, antspy.ThreadPoolExecutor])
def pool(request: pytest.FixtureRequest) -> Iterator[antspy.Pool]:
    kind: Callable[[int], antspy.Pool] = request.param
    with kind(2) as pool:
        yield pool


@pytest.fixture(params=["plain", "instrumented"])
def instrumented(request: pytest.FixtureRequest) -> Iterator[bool]:
    """With and without the instrumentation that patches `ThreadPoolExecutor.submit`."""
    instrumentor = ThreadingInstrumentor()
    if request.param == "instrumented":
        instrumentor.instrument()
    yield request.param == "instrumented"
    if request.param == "instrumented":
        instrumentor.uninstrument()


@pytest.mark.parametrize("way", WAYS)
def test_the_span_of_the_submitter_is_the_parent(
    way: str, pool: antspy.Pool, instrumented: bool, traced: Traced
) -> None:
    pool.submit(abs, -1).result(LIMIT)  # a worker has started before there is a span
    with traced.tracer.start_as_current_span("request") as request:
        WAYS[way](pool, traced.task)
        assert pool.wait(LIMIT)
        assert trace.get_current_span() is request
    assert traced.parents("task") == [request.get_span_context().span_id]
    assert {span.context.trace_id for span in traced.spans("task")} == {request.get_span_context().trace_id}


def test_a_task_without_a_span_has_none_of_the_one_before(
    pool: antspy.Pool, instrumented: bool, traced: Traced
) -> None:
    with traced.tracer.start_as_current_span("request"):
        pool.submit(traced.task, "inside").result(LIMIT)
    pool.submit(traced.task, "outside").result(LIMIT)
    assert traced.parents("outside") == [None]


def test_many_submitters_each_have_their_own_children(
    pool: antspy.Pool, instrumented: bool, traced: Traced
) -> None:
    def submit(number: int) -> tuple[int, list[int | None]]:
        with traced.tracer.start_as_current_span("request") as request:
            for future in [pool.submit(traced.task, f"task {number}") for _ in range(5)]:
                future.result(LIMIT)
        return request.get_span_context().span_id, traced.parents(f"task {number}")

    with antspy.Pool(4) as submitters:
        for span, parents in submitters.map(submit, range(20)):
            assert parents == [span] * 5


def test_a_task_of_a_task_is_a_grandchild(pool: antspy.Pool, instrumented: bool, traced: Traced) -> None:
    def outer() -> int:
        with traced.tracer.start_as_current_span("outer") as span:
            pool.submit(traced.task, "inner").result(LIMIT)
            return span.get_span_context().span_id

    assert traced.parents("inner") == []
    outer_span = pool.submit(outer).result(LIMIT)
    assert traced.parents("inner") == [outer_span]


def test_baggage_goes_along(pool: antspy.Pool, instrumented: bool) -> None:
    token = context.attach(baggage.set_baggage("colony", "red"))
    assert pool.submit(baggage.get_baggage, "colony").result(LIMIT) == "red"
    context.detach(token)
    assert pool.submit(baggage.get_baggage, "colony").result(LIMIT) is None


def test_the_instrumentation_does_not_wrap_what_needs_no_wrapping(traced: Traced) -> None:
    wrapper = "wrapped_func"  # of the instrumentation, around each task of the standard class
    instrumentor = ThreadingInstrumentor()
    instrumentor.instrument()
    try:
        with antspy.ThreadPoolExecutor(1) as ours, concurrent.futures.ThreadPoolExecutor(1) as theirs:
            assert wrapper not in ours.submit(traced.task, "ours").result(LIMIT)
            assert wrapper in theirs.submit(traced.task, "theirs").result(LIMIT)
    finally:
        instrumentor.uninstrument()


def test_a_worker_lives_on_while_the_instrumentation_comes_and_goes(traced: Traced) -> None:
    instrumentor = ThreadingInstrumentor()
    names = set()
    with antspy.ThreadPoolExecutor(1) as executor:
        for _ in range(3):
            instrumentor.instrument()
            names.add(executor.submit(lambda: threading.current_thread().name).result(LIMIT))
            instrumentor.uninstrument()
            with traced.tracer.start_as_current_span("request"):
                executor.submit(traced.task, "task").result(LIMIT)
    assert len(names) == 1
    assert None not in traced.parents("task")
