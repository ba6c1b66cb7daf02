"""The pool."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack

from ._antspy import _Pool
from .adaptive import Adaptive
from .coroutine import Releases, Submits
from .exception_handler import ExceptionHandler
from .future import Future
from .group import Group
from .map import map_tasks
from .settings import Overflow, prefix, stack_bytes
from .stats import Stats, read
from .view import Options, PoolView, SubPool

P = ParamSpec("P")
T = TypeVar("T")


class Pool(_Pool, Submits, Releases, Executor):
    """A pool of at most `capacity` workers.

    At most `capacity` tasks run at the same time, and at most `capacity + queue_size` are accepted and
    unfinished; one more waits in `submit` or `go`, or what `overflow` says. A worker is a thread. It is
    started only for work, and leaves after `expiry` seconds without any. `None` means "no limit"
    everywhere. Each task runs in a copy of its submitter's context (`contextvars`).

    Args:
        capacity: How many tasks run at the same time, at least 1. With an `Adaptive` the pool finds out.
        queue_size: How many more are accepted and wait for a worker.
        overflow: What a full pool does with one more task: `"block"` the caller until there is a place,
            `"raise"` `PoolOverloadError`, `"caller_runs"` it, or `"discard"` it (its future is cancelled).
        max_blocking: How many callers may be blocked; the next gets `PoolOverloadError`.
        expiry: Seconds after which an idle worker leaves; `None`: never. 10 s is what trio and tokio give
            an idle thread.
        min_workers: How many workers do not expire. They are started for work, as all are.
        prealloc: Start all workers now.
        daemon: Do not wait for the pool at the end of the program: tasks that have not started are cancelled
            then, and those that run are given up, wherever they are. Else all that was accepted runs.
        rate: How many tasks are started a second at most, evenly spaced; `None`: no limit.
        exception_handler: Called with what a `go` task raised, and with what a future raised that nobody has
            looked at when it ends; by default it is logged with its traceback on the logger `antspy`.
        initializer: Called with `initargs` in each worker before its first task. Tasks reach what it returns
            by `antspy.worker_state()`. If it raises, the pool is broken: `BrokenThreadPool`.
        finalizer: Called in each worker with its state when the worker leaves, for whatever reason. What it
            raises is logged.
        thread_name_prefix: Workers are called `{prefix}_0`, `{prefix}_1`, ... Where the system has less room
            (15 bytes on Linux), it keeps the numbers.
        stack_size: Bytes of stack of a worker; `None`: `threading.stack_size()`, or 8 MiB.

    Raises:
        ValueError, TypeError: An argument makes no sense; the message names it and the value.

    >>> from antspy import Pool
    >>> with Pool(4) as pool:
    ...     list(pool.map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    def __init__(
        self,
        capacity: int | Adaptive | None,
        *,
        queue_size: int | None = 0,
        overflow: Overflow = "block",
        max_blocking: int | None = None,
        expiry: float | None = 10.0,
        min_workers: int = 0,
        prealloc: bool = False,
        daemon: bool = False,
        rate: float | None = None,
        exception_handler: ExceptionHandler | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        finalizer: Callable[[Any], object] | None = None,
        thread_name_prefix: str = "",
        stack_size: int | None = None,
    ) -> None:
        self._open(
            capacity,
            queue_size=queue_size,
            overflow=overflow,
            max_blocking=max_blocking,
            expiry=expiry,
            min_workers=min_workers,
            prealloc=prealloc,
            daemon=daemon,
            rate=rate,
            exception_handler=exception_handler,
            initializer=initializer,
            initargs=initargs,
            finalizer=finalizer,
            thread_name_prefix=prefix(thread_name_prefix, type(self).__name__),
            stack_size=stack_bytes(stack_size),
            function=None,
        )

    # The core's methods under their public names: a call costs no Python frame.
    go = _Pool._go
    if TYPE_CHECKING:
        # Written out: pyright gives a mere assignment the type that `Executor` declares, with another future.
        def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
            """Run `fn(*args, **kwargs)` on a worker, and return a future for its result."""
            ...
    else:
        submit = _Pool._submit

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        progress: bool | str = False,
    ) -> Iterator[T]:
        """Call `fn` with the items of `iterables`, several at once, and yield the results in order.

        Items are taken from `iterables` as results are consumed, never more ahead than the pool has places
        (`capacity + queue_size`) or than `buffersize`.

        Args:
            fn: Called with one item of each iterable.
            iterables: Any; the shortest ends it.
            timeout: Seconds from this call on after which a result that is not there raises `TimeoutError`,
                and so does a wait for a place.
            chunksize: How many items one task takes.
            buffersize: How many tasks to look ahead; `None`: as many as the pool has places.
            progress: Whether to show on stderr how many results have been given out, of how many, with `fn`'s
                name or with this description. By rich or tqdm: see `antspy.progress`.

        Raises:
            PoolOverloadError: With `overflow="raise"`: others have taken places, and there is none for a task
                of this map. Raised by this call for one of the first tasks, later at the place of a result;
                its other tasks that have not started are cancelled.
            Exception: What `fn` raised, at the place of its result; the tasks after it that have not started
                are cancelled.

        >>> from antspy import Pool
        >>> with Pool(2) as pool:
        ...     list(pool.map(pow, [2, 3], [5, 2]))
        [32, 9]
        """
        return map_tasks(self, fn, iterables, timeout, chunksize, buffersize, progress)

    def options(self, **options: Unpack[Options]) -> PoolView:
        """Return a view of the pool whose tasks are handed in on other terms.

        Args:
            timeout: Seconds that `submit` and `go` wait for a place; then they raise `TimeoutError`, and the
                task is not accepted.
            deadline: Seconds from `submit` or `go` on within which the task must have started. Later it is
                cancelled, and its place is free at once; a call that still waits for a place raises
                `TimeoutError`.
            priority: `"high"`, `"normal"` or `"low"`: the task's lane, in the queue and in the line for a
                place. Tasks of a higher lane start first, those of one lane in order. A lane that has been
                passed over 16 times in a row gives the next task, so none starves.
            name: The task's: in its future, in what is logged about it, and in its stack, as tracebacks,
                debuggers and profilers show it.

        Every keyword of the view's `submit` goes to the function.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.options(name="sum", deadline=10).submit(sum, [1, 2], start=3).name
        'sum'
        """
        return PoolView(self, options)

    def group(self) -> Group:
        """Return a group of tasks that are waited for together, and fail together.

        >>> from antspy import Pool
        >>> with Pool(2) as pool:
        ...     with pool.group() as group:
        ...         for number in (3, 1, 2):
        ...             _ = group.submit(abs, -number)
        ...     group.results()
        [3, 1, 2]
        """
        return Group(self)

    def subpool(self, n: int) -> SubPool:
        """Return a sub-pool: its tasks take at most `n` of the pool's places, and run on the pool's workers.

        It does what `overflow` says, and as many callers as `max_blocking` may wait for its places.

        Raises:
            ValueError, TypeError: `n` is not a whole number of at least 1.
        """
        return SubPool(self, n)

    def stats(self) -> Stats:
        """Return what the pool has done so far: all numbers are of one moment.

        >>> from antspy import Pool
        >>> with Pool(2) as pool:
        ...     pool.submit(abs, -1).result()
        ...     pool.stats().completed
        1
        1
        """
        return read(self)

    def __repr__(self) -> str:
        name = type(self).__name__
        state = "closed" if self.closed else "open"
        return f"<{name} {state} capacity={self.capacity} running={self.running}>"
