"""The Rust core's binding. What each method does is told here; the public classes derive from these."""

import asyncio
import concurrent.futures
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Iterator
from types import GenericAlias
from typing import Any, ParamSpec, Self, TypeVar, final

from typing_extensions import disjoint_base

from .adaptive import Adaptive
from .exception_handler import ExceptionHandler
from .future import Future
from .settings import Overflow
from .view import Options, Priority
from .worker import Crew

_P = ParamSpec("_P")
_T = TypeVar("_T")

__all__ = [
    "_Admission",
    "_Future",
    "_Mailbox",
    "_Map",
    "_Pool",
    "_Seat",
    "_View",
    "_Wait",
    "_WaitGroup",
    "__version__",
    "_after_fork",
    "_debug_build",
    "_drain",
    "_pools",
    "_register_future",
    "_watch",
    "worker_state",
]

__version__: str
_debug_build: bool

@disjoint_base
class _Pool:
    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self: ...
    def _open(
        self,
        capacity: int | Adaptive | None,
        *,
        queue_size: int | None,
        overflow: Overflow,
        max_blocking: int | None,
        expiry: float | None,
        min_workers: int,
        prealloc: bool,
        daemon: bool,
        rate: float | None,
        exception_handler: ExceptionHandler | None,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
        finalizer: Callable[[Any], object] | None,
        thread_name_prefix: str,
        stack_size: int | None,
        function: Callable[..., object] | None,
        stands_in: bool = False,
        driver: Callable[[bool], bool] | None = None,
        inline: bool = False,
        via: Callable[..., object] | None = None,
    ) -> None: ...
    def _submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run `fn(*args, **kwargs)` on a worker, and return a future for its result.

        Waits while the pool is full, or does what `overflow` says.

        Raises:
            PoolClosedError: The pool is closed, or was while this call waited.
            PoolOverloadError: The pool is full, with `overflow="raise"` or beyond `max_blocking`.
            BrokenThreadPool: The initializer failed.
            RuntimeError: There is no worker and no thread could be started. The task is not accepted.

        A task of the same pool does not wait: if there is no place it runs the new task itself, at once.
        Nor does it wait for the result of a task that has not started (`Future.result`,
        `Future.exception`, `map`, groups, `WaitGroup.wait`): it runs that, too. The functions
        `concurrent.futures.wait` and `as_completed` know nothing of this: use a group there.

        >>> from antspy import Pool
        >>> with Pool(2) as pool:
        ...     pool.submit(int, "ff", base=16).result()
        255
        """

    def _go(self, fn: Callable[_P, object], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Run `fn(*args, **kwargs)` on a worker; nobody gets the result, and no future is made.

        What it raises goes to the pool's `exception_handler`. Otherwise as `submit`.

        >>> from antspy import Pool
        >>> seen = []
        >>> with Pool(2) as pool:
        ...     pool.go(seen.append, 3)
        >>> seen
        [3]
        """

    def _begin(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T] | _Admission:
        """Submit without blocking; return the future, or an admission that stands in line."""

    def _begin_invoke(self, *args: Any) -> Future[Any] | _Admission:
        """Submit a call of the pool's function without blocking, as `_begin` does."""

    def _invoke(self, *args: Any) -> None:
        """Call the pool's function with `args` on a worker; nobody gets the result. As `Pool.go`.

        >>> from antspy import PoolWithFunc
        >>> with PoolWithFunc(print, capacity=1) as pool:
        ...     pool.invoke("a", 1)
        a 1
        """

    def _invoke_for_result(self, *args: Any) -> Future[Any]:
        """Call the pool's function with `args` on a worker; return a future for its result. As `Pool.submit`.

        >>> from antspy import PoolWithFunc
        >>> with PoolWithFunc(abs, capacity=1) as pool:
        ...     pool.submit(-3).result()
        3
        """

    def tune(self, capacity: int | Adaptive | None) -> None:
        """Set the capacity, up or down, on any pool, from any thread.

        Up: as many blocked submitters go on as there are new places. Down: idle workers that are too many
        leave now, busy ones after their task; none is interrupted.

        Args:
            capacity: How many tasks run at the same time from now on, at least 1; `None`: no limit. With an
                `Adaptive` the pool finds out, from its capacity on; with any other it does so no more.

        Raises:
            ValueError, TypeError: `capacity` makes no sense; the message names it and the value.

        >>> from antspy import Pool
        >>> with Pool(2) as pool:
        ...     pool.tune(10)
        ...     pool.capacity
        10
        """

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all accepted tasks are done and their results delivered. The pool stays open.

        Args:
            timeout: Seconds to wait; `None`: for ever.

        Returns:
            `False` if that takes longer than `timeout` seconds.

        Raises:
            RuntimeError: Called by a task of this pool: it would wait for itself.
            ValueError, TypeError: `timeout` makes no sense.

        >>> from antspy import Pool
        >>> pool = Pool(2)
        >>> pool.go(abs, -1)
        >>> pool.wait(timeout=10), pool.closed
        (True, False)
        """

    def release(self, timeout: float | None = 0) -> None:
        """Close the pool: new work is refused, blocked submitters get `PoolClosedError`.

        What was accepted still runs. Then waits until all workers are gone.

        Args:
            timeout: Seconds to wait. 0 does not wait, and never raises `TimeoutError`; `None` waits for ever.

        Raises:
            TimeoutError: Workers are left. The pool is closed; `release` may be called again.
            RuntimeError: Called by a task of this pool, not with 0: it would wait for itself.
            ValueError, TypeError: `timeout` makes no sense.

        >>> from antspy import Pool
        >>> pool = Pool(2)
        >>> pool.release(timeout=10)
        >>> pool.closed, pool.running
        (True, 0)
        """

    def _join(self, mailbox: _Mailbox, told: asyncio.Future[Any]) -> _Wait | None: ...
    def _leave(self, wait: _Wait) -> None: ...
    def reboot(self) -> None:
        """Open a closed pool again, with the same settings, once its workers are gone.

        On an open pool nothing happens.

        Raises:
            RuntimeError: Called by a task of this pool: it would wait for itself. Or `prealloc` is set, and a
                thread could not be started: the pool stays closed.

        >>> from antspy import Pool
        >>> pool = Pool(2)
        >>> pool.release(timeout=10)
        >>> pool.reboot()
        >>> pool.submit(abs, -1).result()
        1
        """

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the pool, as every executor does.

        Args:
            wait: Whether to wait until all workers are gone.
            cancel_futures: Whether to cancel what has not started; else it still runs.

        Raises:
            RuntimeError: Called by a task of this pool with `wait`: it would wait for itself.

        >>> from antspy import Pool
        >>> pool = Pool(2)
        >>> future = pool.submit(abs, -1)
        >>> pool.shutdown()
        >>> future.result()
        1
        """

    def pause(self) -> None:
        """Start no more tasks until `resume`: running ones go on, and new ones are accepted as before.

        A task that waits for another that has not started runs it also during a pause. Closing the pool ends
        the pause. On a closed pool nothing happens.

        >>> from antspy import Pool
        >>> with Pool(2) as pool:
        ...     pool.pause()
        ...     future = pool.submit(abs, -1)
        ...     print(future.done(), pool.queued)
        ...     pool.resume()
        ...     print(future.result())
        False 1
        1
        """

    def resume(self) -> None:
        """End a pause: tasks start again. On a pool that is not paused nothing happens.

        >>> from antspy import Pool
        >>> with Pool(2) as pool:
        ...     pool.pause()
        ...     pool.resume()
        ...     pool.paused
        False
        """

    @property
    def paused(self) -> bool:
        """Whether no task is started for now."""

    @property
    def capacity(self) -> int | None:
        """How many tasks run at the same time at most; `None`: no limit."""

    @property
    def running(self) -> int:
        """Live workers, busy and idle."""

    @property
    def free(self) -> int | None:
        """`capacity - running`, never below 0; `None` without a limit."""

    @property
    def waiting(self) -> int:
        """Callers blocked in `submit` or `go` now."""

    @property
    def busy(self) -> int:
        """Workers that are not idle."""

    @property
    def idle(self) -> int:
        """Workers with nothing to do."""

    @property
    def queued(self) -> int:
        """Accepted tasks that no worker has taken yet."""

    @property
    def closed(self) -> bool:
        """Whether new work is refused."""

    @property
    def _crew(self) -> Crew: ...
    @property
    def _name(self) -> str: ...
    def _settle(self, timeout: float | None) -> bool: ...
    def _fault(self) -> BaseException | None: ...
    @property
    def _places(self) -> int | None: ...
    @property
    def _in_flight(self) -> int: ...
    def _stats(self) -> dict[str, Any]: ...
    def _advance_clock(self, seconds: float) -> None: ...
    def _run_queued(self, number: int) -> bool: ...
    def _end_late(self) -> None: ...

@disjoint_base
class _View:
    def __new__(
        cls,
        pool: _Pool,
        *,
        timeout: float | None,
        deadline: float | None,
        priority: Priority,
        name: str | None,
        places: int | _View | None,
    ) -> Self: ...
    def _submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """As `Pool.submit`."""

    def _go(self, fn: Callable[_P, object], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """As `Pool.go`."""

    def _begin(
        self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_T] | _Admission: ...
    def _begin_invoke(self, *args: Any) -> Future[Any] | _Admission: ...
    def _invoke(self, *args: Any) -> None:
        """As `PoolWithFunc.invoke`."""

    def _invoke_for_result(self, *args: Any) -> Future[Any]:
        """As `PoolWithFunc.submit`."""

    @property
    def _pool(self) -> _Pool: ...
    def _settings(self) -> Options: ...
    def _places_of_subpool(self) -> tuple[int, int, int] | None: ...
    def _tune_subpool(self, n: int) -> None: ...
    def _wait_subpool(self, timeout: float | None) -> bool: ...

@disjoint_base
class _WaitGroup:
    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self: ...
    def add(self, n: int = 1) -> None:
        """Add `n` jobs, or take `-n` away; at zero everyone who waits goes on.

        Raises:
            ValueError: The count would go below zero; it stays as it was.

        >>> from antspy import WaitGroup
        >>> group = WaitGroup()
        >>> group.add(2)
        >>> group.count
        2
        """

    def done(self) -> None:
        """Take one job away, as `add(-1)` does.

        Raises:
            ValueError: There is none.

        >>> from antspy import WaitGroup
        >>> group = WaitGroup()
        >>> group.add(2)
        >>> group.done()
        >>> group.count
        1
        """

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the count is zero.

        Args:
            timeout: Seconds to wait; `None`: for ever.

        Returns:
            `False` if that takes longer than `timeout` seconds.

        >>> from antspy import WaitGroup
        >>> group = WaitGroup()
        >>> group.go(abs, -1)
        >>> group.wait(timeout=10)
        True
        """

    @property
    def count(self) -> int:
        """The jobs that are not done."""

    def _use(self, pool: _Pool) -> None: ...
    def _go(self, pool: _Pool, fn: Callable[..., object], /, *args: Any, **kwargs: Any) -> None: ...
    def _join(self, mailbox: _Mailbox, told: asyncio.Future[Any]) -> _Wait | None: ...
    def _leave(self, wait: _Wait) -> None: ...

@disjoint_base
class _Future(concurrent.futures.Future[_T]):
    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self: ...
    @classmethod
    def __class_getitem__(cls, item: Any) -> GenericAlias: ...
    def cancel(self) -> bool:
        """Cancel the task if no worker has taken it; its place is free at once.

        Returns:
            Whether it is cancelled: by this call, or before.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.pause()
        ...     future = pool.submit(abs, -1)
        ...     future.cancel(), future.cancelled(), future.done()
        (True, True, True)
        """

    def cancelled(self) -> bool:
        """Return whether the task was cancelled.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     future = pool.submit(abs, -1)
        ...     future.result(), future.cancelled()
        (1, False)
        """

    def running(self) -> bool:
        """Return whether a worker runs the task now.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.pause()
        ...     pool.submit(abs, -1).running()
        False
        """

    def done(self) -> bool:
        """Return whether the task has ended or was cancelled.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     future = pool.submit(abs, -1)
        ...     future.result(), future.done()
        (1, True)
        """

    def result(self, timeout: float | None = None) -> _T:
        """Wait for the task and return what it returned, or raise what it raised.

        Args:
            timeout: Seconds to wait; `None`: for ever.

        Raises:
            TimeoutError: It takes longer than `timeout` seconds.
            CancelledError: The task was cancelled.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.submit(abs, -1).result(timeout=10)
        1
        """

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the task and return what it raised, or `None`.

        Args:
            timeout: Seconds to wait; `None`: for ever.

        Raises:
            TimeoutError: It takes longer than `timeout` seconds.
            CancelledError: The task was cancelled.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.submit(int, "x").exception(timeout=10)
        ValueError("invalid literal for int() with base 10: 'x'")
        """

    def interrupt(self, exc: type[BaseException] | None = None) -> bool:
        """Raise `exc` in the task, if it is running; by default `TaskInterrupted`. Returns whether it is.

        The exception comes at the next bytecode of the task's own Python code. A call into C (a sleep, a read
        from a socket, a lock, `Future.result`) is not cut short: it ends first. A task that has not started
        is cancelled by `cancel`; one that ends before the exception comes is not touched by it, and neither
        is any other task of that worker.

        Raises:
            TypeError: `exc` is not an exception class.

        >>> import time
        >>> from antspy import Pool
        >>> def work():
        ...     while True:
        ...         time.sleep(0.001)
        >>> with Pool(1) as pool:
        ...     future = pool.submit(work)
        ...     while not future.interrupt():  # not running yet
        ...         time.sleep(0.001)
        ...     future.exception()
        TaskInterrupted()
        """

    def _join(self, mailbox: _Mailbox, told: asyncio.Future[Any]) -> _Wait | None: ...
    def _leave(self, wait: _Wait) -> None: ...
    def _get_snapshot(self) -> tuple[bool, bool, _T | None, BaseException | None]: ...
    @property
    def name(self) -> str | None:
        """What its submitter called the task (`Pool.options`)."""

    def add_done_callback(self, fn: Callable[[Future[_T]], object]) -> None:
        """Call `fn(future)` when the task has ended: in its worker, or now if it has.

        The task's place in the pool is free by then. What `fn` raises is logged.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.submit(abs, -1).add_done_callback(lambda future: print(future.result()))
        1
        """

    def set_running_or_notify_cancel(self) -> bool:
        """As `concurrent.futures.Future.set_running_or_notify_cancel`. A pool calls it itself."""

    def set_result(self, result: _T) -> None:
        """As `concurrent.futures.Future.set_result`. A task that has not started does not run then.

        Raises:
            InvalidStateError: The task has ended, or was cancelled.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.pause()
        ...     future = pool.submit(abs, -1)
        ...     future.set_result("from outside")
        ...     future.result()
        'from outside'
        """

    def set_exception(self, exception: BaseException | None) -> None:
        """As `concurrent.futures.Future.set_exception`. A task that has not started does not run then.

        Raises:
            InvalidStateError: The task has ended, or was cancelled.

        >>> from antspy import Pool
        >>> with Pool(1) as pool:
        ...     pool.pause()
        ...     future = pool.submit(abs, -1)
        ...     future.set_exception(KeyError("from outside"))
        ...     future.exception()
        KeyError('from outside')
        """

@final
class _Admission:
    def _join(self, mailbox: _Mailbox, told: asyncio.Future[Any]) -> _Wait | None: ...
    def _leave(self, wait: _Wait) -> None: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def ready(self) -> bool: ...
    def proceed(self) -> Any: ...
    def abandon(self) -> None: ...

@final
class _Mailbox:
    def __new__(cls, event_loop: AbstractEventLoop) -> Self: ...

@final
class _Map(Iterator[_T]):
    """The results of `map`, in order; used by one thread at a time, as a generator is."""

    def __new__(
        cls,
        pool: Any,
        fn: Callable[..., _T],
        iterables: tuple[Iterable[Any], ...],
        *,
        ahead: int | None,
        timeout: float | None,
        stands_in: bool = False,
    ) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T: ...
    def close(self) -> None:
        """Ask for no more results: what has not started is cancelled, if any result has been asked for."""

@final
class _Wait:
    @property
    def helps(self) -> bool: ...

def worker_state() -> Any:
    """Return what the pool's `initializer` returned in this worker; `None` without an initializer.

    Raises:
        RuntimeError: This thread is not a pool's worker.

    >>> from antspy import Pool, worker_state
    >>> with Pool(1, initializer=dict, initargs=([("user", "ant")],)) as pool:
    ...     pool.submit(lambda: worker_state()["user"]).result()
    'ant'
    """

def _register_future(class_: type[Future[Any]], /) -> None: ...
def _after_fork() -> None: ...
def _drain() -> None: ...
def _pools() -> list[dict[str, Any]]: ...
def _watch(on: bool) -> None: ...

@final
class _Seat:
    def _look(self) -> tuple[Any, float] | None: ...
