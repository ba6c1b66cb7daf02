"""Tasks that belong together: all are waited for, and the first that fails cancels the rest."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any, ParamSpec, Protocol, Self, TypeVar

from .future import Future
from .lazy import loop_future

P = ParamSpec("P")
T = TypeVar("T")


class Submits(Protocol):
    """What a group needs of a pool."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)`, and return a future for its result."""
        ...


class Group:
    """A block of tasks, as `asyncio.TaskGroup`: `with` and `async with` wait at their end for all of them.

    When one fails, those that have not started are cancelled at once, and those that run are waited for;
    then the block raises an `ExceptionGroup` of all that failed, in the order of their submission, and last
    what the body raised. The body is not interrupted; its next `submit` returns a cancelled future. What is
    not an `Exception` (Ctrl-C) ends the body or the wait at once, without a group around it; what has not
    started is cancelled then, too. A future that was cancelled, by whomever, has not failed.

    `async with` does not block the event loop while it waits; cancelled, it cancels what has not started,
    waits for what runs, and is cancelled then, whatever has failed. `submit` itself waits for a place in a
    full pool in a coroutine as everywhere; `asubmit` does so without blocking the loop.

    Args:
        pool: Where the tasks run: anything with a `submit` like that of `Pool`; and for coroutines `asubmit`.

    >>> from antspy import Pool
    >>> with Pool(4) as pool, pool.group() as group:
    ...     for number in range(3):
    ...         _ = group.submit(pow, number, 2)
    >>> group.results()
    [0, 1, 4]
    """

    def __init__(self, pool: Submits) -> None:
        self._pool: Any = pool
        # Held for a few steps only, never while anything is called that may wait. It guards the four below.
        self._lock = threading.Lock()
        self._futures: list[Future[Any]] = []
        self._entered = False
        self._over = False
        self._failed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` on the pool as one task of the group; also for tasks of the group.

        Returns:
            Its future; a cancelled one if the group has failed: then nothing is submitted.

        Raises:
            RuntimeError: Called outside of the block.
            Exception: What `submit` of the pool raises.

        >>> from antspy import Pool
        >>> with Pool(2) as pool, pool.group() as group:
        ...     future = group.submit(pow, 2, 5)
        >>> future.result()
        32
        """
        self._refuse_outside("submit")
        if self._failed:
            return _cancelled()
        return self._list(self._pool.submit(fn, *args, **kwargs))

    async def asubmit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The same for coroutines: waits for a place without blocking the event loop, as `Pool.asubmit`."""
        self._refuse_outside("asubmit")
        if self._failed:
            return _cancelled()
        return self._list(await self._pool.asubmit(fn, *args, **kwargs))

    def _refuse_outside(self, method: str) -> None:
        if not self._entered or self._over:
            raise RuntimeError(f"{method}() must be called inside of the group's block")

    def _list(self, future: Future[T]) -> Future[T]:
        # The group may fail meanwhile, in another thread. No task slips through:
        # 1. Here the future is listed, then `_failed` is read: one step under the lock.
        # 2. `_cancel` sets `_failed`, then copies the list: one step under the lock.
        # 3. If 1 comes before 2, the future is in the copy and `_cancel` cancels it.
        # 4. If 2 comes before 1, `_failed` is seen here, and the future is cancelled here.
        with self._lock:
            failed, over = self._failed, self._over
            if not over:
                self._futures.append(future)
        if failed or over:
            future.cancel()
        if over:  # the block ended while a thread that it knows nothing of submitted
            raise RuntimeError("the group's block ended during submit()")
        # Called at once if it has ended already.
        future.add_done_callback(self._ended)
        return future

    def results(self) -> list[Any]:
        """Return what the tasks returned, in the order of their submission.

        Raises:
            RuntimeError: The block has not ended, or it raised.
            CancelledError: A task was cancelled, or discarded by its pool.

        >>> from antspy import Pool
        >>> with Pool(2) as pool, pool.group() as group:
        ...     for number in (3, 1, 2):
        ...         _ = group.submit(abs, -number)
        >>> group.results()
        [3, 1, 2]
        """
        if not self._over:
            raise RuntimeError("results() must be called after the group's block")
        if self._failed:
            raise RuntimeError("the group has failed: it has no results")
        return [future.result() for future in self._futures]

    def __enter__(self) -> Self:
        with self._lock:
            if self._entered:
                raise RuntimeError("a group can be entered only once")
            self._entered = True
        return self

    def __exit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        """Wait for all tasks."""
        errors: list[BaseException] = []
        try:
            if exc is not None:
                self._cancel()
            if exc is None or isinstance(exc, Exception):
                for future in self._listed():
                    self._note(future, errors)
        except BaseException:
            self._cancel()
            raise
        finally:
            self._end()
        _raise(errors, exc)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        """Wait for all tasks, without blocking the loop."""
        import asyncio

        errors: list[BaseException] = []
        cancelled: asyncio.CancelledError | None = None
        try:
            if exc is not None:
                self._cancel()
            if exc is None or isinstance(exc, (Exception, asyncio.CancelledError)):
                for future in self._listed():
                    while not future.done():
                        try:
                            await loop_future.wait_for(future)
                        except asyncio.CancelledError as error:
                            cancelled = cancelled or error
                            self._cancel()
                    self._note(future, errors)
            # The body may also have awaited a future that was cancelled; nobody has cancelled it then.
            if isinstance(exc, asyncio.CancelledError) and _cancelling():
                return
            if cancelled is not None:
                raise cancelled
        except BaseException:
            self._cancel()
            raise
        finally:
            self._end()
            cancelled = None  # its traceback refers to this frame
        _raise(errors, exc)

    def _listed(self) -> Iterator[Future[Any]]:
        """All futures in order, also those that tasks submit meanwhile; after the last the block is over."""
        number = 0
        while True:
            with self._lock:
                if number == len(self._futures):
                    self._over = True
                    return
                future = self._futures[number]
            yield future
            number += 1

    def _note(self, future: Future[Any], errors: list[BaseException]) -> None:
        """Wait for the future, and put what it raised with the others."""
        try:
            error = future.exception()  # `result()` would put this frame into the traceback
        except CancelledError:
            return
        if error is None:
            return
        if not errors:
            # The future's callback does so, too, but perhaps too late: a worker that waits for a task of
            # its own pool that has not started runs it, and the next one in the list may be such a task.
            self._cancel()
        errors.append(error)

    def _ended(self, future: Future[Any]) -> None:
        # Once is enough: whoever submits after that sees `_failed`.
        if not self._failed and not future.cancelled() and future.exception() is not None:
            self._cancel()

    def _cancel(self) -> None:
        with self._lock:
            self._failed = True
            futures = self._futures.copy()
        for future in futures:
            future.cancel()

    def _end(self) -> None:
        with self._lock:
            self._over = True
            if self._failed:
                # What failed has a traceback, and its frames may lead back to this group.
                self._futures = []


def _raise(errors: list[BaseException], exc: BaseException | None) -> None:
    """End the block by what its tasks and its body raised."""
    # The body may have asked a future for its result: what that raised is no error of its own.
    repeated = any(exc is error for error in errors) or (errors and isinstance(exc, CancelledError))
    if isinstance(exc, Exception) and not repeated:
        errors.append(exc)
    if errors:
        raise BaseExceptionGroup("errors in a group of tasks", errors) from None


def _cancelled() -> Future[Any]:
    future: Future[Any] = Future()
    future.cancel()
    future.set_running_or_notify_cancel()  # else `concurrent.futures.wait` would wait for it
    return future


def _cancelling() -> bool:
    import asyncio

    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
