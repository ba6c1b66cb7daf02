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
    "_View",
    "_Wait",
    "_WaitGroup",
    "__version__",
    "_after_fork",
    "_debug_build",
    "_drain",
    "_register_future",
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
        """

    def _begin(
        self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_T] | _Admission: ...
    def _begin_invoke(self, *args: Any) -> Future[Any] | _Admission: ...
    def _invoke(self, *args: Any) -> None:
        """Call the pool's function with `args`, as `go` does."""

    def _invoke_for_result(self, *args: Any) -> Future[Any]:
        """Call the pool's function with `args`, as `submit` does."""

    def tune(self, capacity: int | Adaptive | None) -> None:
        """Set the capacity, up or down, on any pool, from any thread.

        Up: as many blocked submitters go on as there are new places. Down: idle workers that are too many
        leave now, busy ones after their task; none is interrupted.

        A pool that tunes itself does so no more; with an `Adaptive` it begins to, from its capacity on.
        """

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all accepted tasks are done and their results delivered. The pool stays open.

        Returns:
            `False` if that takes longer than `timeout` seconds.

        Raises:
            RuntimeError: Called by a task of this pool: it would wait for itself.
        """

    def release(self, timeout: float | None = 0) -> None:
        """Close the pool: new work is refused, blocked submitters get `PoolClosedError`.

        What was accepted still runs. Then waits up to `timeout` seconds until all workers are gone; 0 does
        not wait, and never raises; `None` waits for ever.

        Raises:
            TimeoutError: Workers are left. The pool is closed; `release` may be called again.
        """

    def _join(self, mailbox: _Mailbox, told: asyncio.Future[Any]) -> _Wait | None: ...
    def _leave(self, wait: _Wait) -> None: ...
    def reboot(self) -> None:
        """Open a closed pool again, with the same settings, once its workers are gone.

        On an open pool nothing happens.
        """

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the pool, as every executor; with `wait`, until all workers are gone.

        `cancel_futures` cancels what has not started.
        """

    def pause(self) -> None:
        """Start no more tasks until `resume`: running ones go on, and new ones are accepted as before.

        A task that waits for another that has not started runs it also during a pause. Closing the pool ends
        the pause. On a closed pool nothing happens.
        """

    def resume(self) -> None:
        """End a pause. On a pool that is not paused nothing happens."""

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
        """

    def done(self) -> None:
        """Take one job away: `add(-1)`."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the count is zero; `False` if that takes longer than `timeout` seconds."""

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
        """Cancel the task if no worker has taken it; its place is free at once. Whether it is cancelled."""

    def cancelled(self) -> bool:
        """Whether the task was cancelled."""

    def running(self) -> bool:
        """Whether a worker runs the task now."""

    def done(self) -> bool:
        """Whether the task has ended or was cancelled."""

    def result(self, timeout: float | None = None) -> _T:
        """Wait for the task and return what it returned, or raise what it raised.

        Raises:
            TimeoutError: It takes longer than `timeout` seconds.
            CancelledError: The task was cancelled.
        """

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the task and return what it raised, or `None`. Raises as `result` does else."""

    def interrupt(self, exc: type[BaseException] | None = None) -> bool:
        """Raise `exc` in the task, if it is running; by default `TaskInterrupted`. Returns whether it is.

        The exception comes at the next bytecode of the task's own Python code. A call into C (a sleep, a read
        from a socket, a lock, `Future.result`) is not cut short: it ends first. A task that has not started
        is cancelled by `cancel`; one that ends before the exception comes is not touched by it, and neither
        is any other task of that worker.

        Raises:
            TypeError: `exc` is not an exception class.
        """

    def _join(self, mailbox: _Mailbox, told: asyncio.Future[Any]) -> _Wait | None: ...
    def _leave(self, wait: _Wait) -> None: ...
    def _get_snapshot(self) -> tuple[bool, bool, _T | None, BaseException | None]: ...
    @property
    def name(self) -> str | None:
        """What its submitter called the task (`Pool.options`)."""

    def add_done_callback(self, fn: Callable[[Future[_T]], object]) -> None:
        """Call `fn(future)` when the task has ended: in its worker, or now if it has.

        The task's place in the pool is free by then.
        """

    def set_running_or_notify_cancel(self) -> bool: ...
    def set_result(self, result: _T) -> None: ...
    def set_exception(self, exception: BaseException | None) -> None: ...

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
    def deliver(self) -> None: ...

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
    """

def _register_future(class_: type[Future[Any]], /) -> None: ...
def _after_fork() -> None: ...
def _drain() -> None: ...
