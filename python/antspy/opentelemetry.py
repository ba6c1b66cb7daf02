"""Pools' numbers, and a span for each task, for OpenTelemetry. Needs `opentelemetry-api`.

`pip install 'antspy[opentelemetry]'` brings it. Without the SDK nothing is recorded, as of any library.
"""

import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor
from time import perf_counter
from typing import Any, Generic, ParamSpec, Self, TypedDict, TypeVar, Unpack

from opentelemetry import metrics, trace
from opentelemetry.context import attach, detach
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider, set_span_in_context

from ._antspy import __version__
from .coroutine import Items
from .future import Future
from .group import Group
from .lazy import loop_future
from .name import name_of as call_name
from .progress import HasStats
from .stats import Stats
from .view import Options
from .watched import Watched, core, name_of

P = ParamSpec("P")
T = TypeVar("T")

POOL = "antspy.pool.name"
QUEUE_TIME = "antspy.task.queue_time"


class MapOptions(TypedDict, total=False):
    """Keyword arguments of `Pool.map`, described there."""

    timeout: float | None
    chunksize: int
    buffersize: int | None
    progress: bool | str


class TracedPool(Executor):
    """A pool whose tasks each have a span. Made by `traced`.

    A span's parent is the span in which its task was submitted; of a map, that in which somebody asked for
    the result that made room for the task. It is called as the task is, or else as its function. Its
    attributes are the pool's name (`antspy.pool.name`) and the seconds from the call to the start
    (`antspy.task.queue_time`). What the task raises is recorded, and makes its status an error. All that is
    not here is the pool's own.
    """

    def __init__(self, owner: Any, tracer: trace.Tracer, name: str | None) -> None:
        self._owner = owner
        self._tracer = tracer
        self._task = name
        self._label = name_of(owner)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `Pool.submit`."""
        future: Future[T] = self._owner.submit(_Task(self, fn, perf_counter()), *args, **kwargs)
        return future

    def go(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `Pool.go`."""
        self._owner.go(_Task(self, fn, perf_counter()), *args, **kwargs)

    async def asubmit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `Pool.asubmit`."""
        future: Future[T] = await self._owner.asubmit(_Task(self, fn, perf_counter()), *args, **kwargs)
        return future

    def arun(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "loop_future.LoopFuture[T]":
        """As `Pool.arun`."""
        future: loop_future.LoopFuture[T] = self._owner.arun(_Task(self, fn, perf_counter()), *args, **kwargs)
        return future

    def map(self, fn: Callable[..., T], *iterables: Any, **options: Unpack[MapOptions]) -> Iterator[T]:
        """As `Pool.map`: a span for each item."""
        results: Iterator[T] = self._owner.map(*self._items(fn, iterables), **options)
        return results

    def amap(
        self, fn: Callable[..., T], *iterables: Items, **options: Unpack[MapOptions]
    ) -> AsyncGenerator[T]:
        """As `Pool.amap`: a span for each item."""
        results: AsyncGenerator[T] = self._owner.amap(*self._items(fn, iterables), **options)
        return results

    def group(self) -> Group:
        """As `Pool.group`."""
        return Group(self)

    def options(self, **options: Unpack[Options]) -> "TracedPool":
        """As `Pool.options`; `name` is also that of the spans."""
        name = options.get("name", self._task)
        return TracedPool(self._owner.options(**options), self._tracer, name)

    def subpool(self, n: int) -> "TracedPool":
        """As `Pool.subpool`."""
        return TracedPool(self._owner.subpool(n), self._tracer, self._task)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As `Pool.shutdown`."""
        self._owner.shutdown(wait, cancel_futures=cancel_futures)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the pool, and wait for what was accepted."""
        await self._owner.arelease()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._owner, name)

    def __repr__(self) -> str:
        return f"<TracedPool of {self._owner!r}>"

    def _items(self, fn: Callable[..., T], iterables: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what a map takes instead: each item with the time at which it is taken."""
        task = _Task(self, fn, None)
        return (task, iter(perf_counter, None), *iterables) if iterables else (task,)


class _Task(Generic[T]):
    """Calls a function in a span. It bears the function's name, for whoever shows what runs."""

    __name__: str
    __qualname__: str

    def __init__(self, pool: TracedPool, fn: Callable[..., T], submitted: float | None) -> None:
        if not callable(fn):
            raise TypeError(f"fn must be callable, not {fn!r}")
        self.__name__ = self.__qualname__ = call_name(fn)
        self._pool = pool
        self._fn = fn
        self._submitted = submitted
        """When; `None`: the first argument says so."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> T:
        """This is in the task, whose context is a copy of the submitter's.

        What `start_as_current_span` does, in two thirds of its time.
        """
        pool, submitted = self._pool, self._submitted
        if submitted is None:
            submitted, *args = args  # type: ignore[assignment]
        attributes: dict[str, str | float] = {POOL: pool._label, QUEUE_TIME: perf_counter() - submitted}
        span = pool._tracer.start_span(
            pool._task or self.__qualname__, kind=SpanKind.INTERNAL, attributes=attributes
        )
        token = attach(set_span_in_context(span))
        try:
            return self._fn(*args, **kwargs)
        except BaseException as error:
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
            raise
        finally:
            detach(token)
            span.end()
            # An exception's traceback keeps this frame. It must not keep what the task was called with.
            del self, args, kwargs


def traced(pool: Any, tracer_provider: TracerProvider | None = None) -> TracedPool:
    """Return a view of a pool whose tasks each have a span.

    Args:
        pool: A `Pool`, `ThreadPoolExecutor`, `MultiPool`, or a view or sub-pool of one. Of a `PoolWithFunc`
            the function is fixed: give it one that has a span.
        tracer_provider: Who makes the spans; `None`: the program's.

    Raises:
        TypeError: `pool` is none of these. The tasks of a `ClusterPool` run in other processes, which know
            neither the pool nor who makes its spans.

    >>> import antspy
    >>> from antspy.opentelemetry import traced
    >>> with traced(antspy.Pool(4)) as pool:
    ...     pool.submit(pow, 2, 10).result()
    1024
    """
    if isinstance(pool, type) or not all(callable(getattr(pool, name, None)) for name in ("submit", "go")):
        raise TypeError(f"pool must be a pool, with submit() and go(), not {pool!r}")
    if isinstance(pool, TracedPool):
        raise TypeError(f"pool is traced already: {pool!r}")
    if getattr(core(pool), "_tasks_travel", False):
        raise TypeError(f"pool must have its workers in this process, where the spans are made, not {pool!r}")
    tracer = trace.get_tracer("antspy", __version__, tracer_provider)
    settings = getattr(pool, "_settings", dict)() or getattr(pool, "_options", {})
    return TracedPool(pool, tracer, settings.get("name"))


class Instrumentation:
    """The pools whose numbers are told to a meter. Made by `instrument`."""

    def __init__(self, watched: Watched, pools: tuple[HasStats, ...], named: dict[str, HasStats]) -> None:
        self._watched = watched
        self._added = watched.add(pools, named)

    def uninstrument(self) -> None:
        """Tell no more of these pools.

        >>> import antspy
        >>> from antspy.opentelemetry import instrument
        >>> with antspy.Pool(4) as pool:
        ...     instrument(fetchers=pool).uninstrument()
        """
        self._watched.remove(self._added)


def instrument(
    *pools: HasStats, meter_provider: MeterProvider | None = None, **named: HasStats
) -> Instrumentation:
    """Tell OpenTelemetry what pools have done, and what they do.

    Whoever collects the metrics calls `stats()` of each pool: no task does anything for it. A pool is held
    weakly: its series end with it. The SDK keeps some 20 kB for each name that it has heard, for ever: where
    pools come and go give each the same name (`instrument(job=pool)`), which is free when the last is gone.

    Args:
        pools: Each is told of by its own name (the attribute `antspy.pool.name`): its `thread_name_prefix`,
            or the one that it has got. A view stands for its pool; a `MultiPool` is one, with the sums.
        meter_provider: Who makes the instruments; `None`: the program's, which may be set later.
        named: Pools by the names that are told: `instrument(fetchers=pool)`.

    Returns:
        What can undo it, by `uninstrument()`.

    Raises:
        TypeError: One of the pools has no `stats()`. A sub-pool has none.
        ValueError: Two pools have the same name.

    >>> import antspy
    >>> from antspy.opentelemetry import instrument
    >>> with antspy.Pool(4, thread_name_prefix="fetcher") as pool:
    ...     instrumentation = instrument(pool)
    """
    with _lock:
        moment = _moment_of(meter_provider)
    return Instrumentation(moment.watched, pools, named)


_moments: "weakref.WeakKeyDictionary[MeterProvider, _Moment]" = weakref.WeakKeyDictionary()
"""What each provider's instruments tell: it makes them once, and has no way to remove them."""
_programs: "_Moment | None" = None
"""That of the program's provider: until one is set the API's stand-in, which then hands all on to it."""
_lock = threading.Lock()


def _moment_of(meter_provider: MeterProvider | None) -> "_Moment":
    global _programs
    program = metrics.get_meter_provider()
    provider = program if meter_provider is None else meter_provider
    moment = _moments.get(provider) or (_programs if provider is program else None)
    if moment is None:
        moment = _Moment(Watched())
        _make_instruments(moment, provider)
    _moments[provider] = moment
    if provider is program:
        _programs = moment
    return moment


Series = Callable[[Stats], dict[str, float | None]]


def _make_instruments(moment: "_Moment", provider: MeterProvider) -> None:
    meter = metrics.get_meter("antspy", __version__, provider)

    def make(kind: Any, name: str, unit: str, told: str, attribute: str, series: Series) -> None:
        def observe(options: CallbackOptions) -> Iterator[Observation]:
            for pool, stats in moment.read(name):
                for value, number in series(stats).items():
                    if number is not None:
                        attributes = {POOL: pool, attribute: value} if attribute else {POOL: pool}
                        yield Observation(number, attributes)

        kind(f"antspy.pool.{name}", callbacks=[observe], unit=unit, description=told)

    def fields(*names: str) -> Series:
        return lambda stats: {name: getattr(stats, name) for name in names}

    def only(read: Callable[[Stats], float | None]) -> Series:
        return lambda stats: {"": read(stats)}

    now, ever = meter.create_observable_up_down_counter, meter.create_observable_counter
    state, outcome, reason = "antspy.worker.state", "antspy.task.outcome", "antspy.task.refusal"
    make(now, "worker.count", "{worker}", "Workers that there are.", state, fields("busy", "idle"))
    make(now, "worker.limit", "{worker}", "Most workers at a time.", "", only(lambda it: it.capacity))
    make(now, "task.queued", "{task}", "Tasks that no worker has taken yet.", "", only(lambda it: it.queued))
    make(now, "task.running", "{task}", "Tasks that run.", "", only(lambda it: it.running))
    make(
        now, "submitter.waiting", "{call}", "Callers that wait for a place.", "", only(lambda it: it.waiting)
    )
    make(ever, "task.submitted", "{task}", "Tasks accepted.", "", only(lambda it: it.submitted))
    ways = fields("completed", "failed", "cancelled")
    make(ever, "task.ended", "{task}", "Accepted tasks that have ended.", outcome, ways)
    make(ever, "task.refused", "{task}", "Tasks not accepted.", reason, fields("rejected", "discarded"))
    make(
        ever,
        "task.queue_time",
        "s",
        "Time from acceptance to start.",
        "",
        only(lambda it: it.queue_time.total),
    )
    make(ever, "task.run_time", "s", "Time from start to end.", "", only(lambda it: it.run_time.total))
    make(ever, "worker.started", "{worker}", "Workers started.", "", only(lambda it: it.workers_started))
    make(
        ever, "worker.expired", "{worker}", "Idle workers that left.", "", only(lambda it: it.workers_expired)
    )


class _Moment(threading.local):
    """The numbers for all instruments of one collection, read at its first.

    A collection is in one thread; there may be others at the same time, for a reader may have a thread.
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._read: list[tuple[str, Stats]] = []
        self._told: set[str] = set()
        """The instruments that know these numbers. Who asks again is of the next collection."""

    def read(self, instrument: str) -> list[tuple[str, Stats]]:
        if not self._told or instrument in self._told:
            self._read = self.watched.read()
            self._told = set()
        self._told.add(instrument)
        return self._read
