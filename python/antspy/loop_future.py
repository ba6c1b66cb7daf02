"""Futures of an event loop: how coroutines wait for what threads do."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

from ._antspy import _Admission, _Future, _Mailbox, _Wait

if TYPE_CHECKING:
    from .future import Future

T = TypeVar("T")

_LOOK_AGAIN = 0.01
"""Seconds until a loop in a worker looks again whether the worker must run itself what the loop waits for."""


class Awaited(Protocol):
    """What a coroutine can wait for."""

    def _join(self, mailbox: _Mailbox, told: Any, /) -> _Wait | None:
        """Have `told`, a future of the mailbox's loop, told of the end. `None`: that has come."""
        ...

    def _leave(self, wait: _Wait, /) -> object:
        """Do not have it told any more."""


class _Told(asyncio.Future[bool]):
    """`True` when its turn has come, `False` when it is too late for that."""

    __slots__ = ()

    def _told(self) -> None:
        if not self.done():
            self.set_result(True)

    def _late(self) -> None:
        if not self.done():
            self.set_result(False)


def _mailbox(loop: Any) -> _Mailbox:
    try:
        mailbox: _Mailbox = loop._antspy_mailbox
    except AttributeError:
        # The loop's own, to live as long as that: in a dictionary of ours it would keep the loop alive, by
        # the letters that nobody comes for.
        loop._antspy_mailbox = mailbox = _Mailbox(loop)
    return mailbox


async def wait_for(awaited: Awaited, seconds: float | None = None) -> bool:
    """Wait without blocking the event loop; `False`: for longer than `seconds`.

    A coroutine that is cancelled, or too late, leaves the line.
    """
    loop = asyncio.get_running_loop()
    told = _Told(loop=loop)
    wait = awaited._join(_mailbox(loop), told)
    if wait is None:
        return True
    timer = None if seconds is None else loop.call_later(seconds, told._late)
    in_time = False
    try:
        if wait.helps:
            await asyncio.sleep(0)  # a worker that has nothing to do is faster
            while cast(Any, awaited)._help() and not told.done():
                await asyncio.wait([told], timeout=_LOOK_AGAIN)
        in_time = await told
    finally:
        if timer is not None:
            timer.cancel()
        if not in_time:
            awaited._leave(wait)
    return in_time


class LoopFuture(asyncio.Future[T], Coroutine[Any, Any, T]):
    """The result of a pool's task, as a future of an event loop: what `Pool.arun` returns.

    It can be awaited, and given to whatever takes a future (`asyncio.gather`, `asyncio.shield`) or a
    coroutine (`asyncio.create_task`, `TaskGroup.create_task`). Only `asyncio.wait` refuses it, as it refuses
    all coroutines; it takes a task that was made of it.

    Cancelling it cancels a task of the pool that has not started; one that runs goes on. What the task raises
    is for whoever awaits this; if nobody does, the event loop's exception handler is told. The pool's is told
    of what comes after it was cancelled, or after its loop was closed.

    >>> import asyncio
    >>> from antspy import LoopFuture, Pool
    >>> async def main():
    ...     async with Pool(1) as pool:
    ...         future = pool.arun(abs, -1)
    ...         return isinstance(future, LoopFuture), await future
    >>> asyncio.run(main())
    (True, 1)
    """

    __slots__ = ("_entry", "_wait")
    __name__ = "arun"  # for the names of tasks that are made of it
    _entry: Any
    """What it follows, until its end: the task's future, or the admission that comes before."""
    _wait: _Wait | None

    def _follow(self, entry: "_Future[T] | _Admission") -> Self:
        """End as the task does."""
        loop = self.get_loop()
        self._entry = entry
        self._wait = wait = entry._join(_mailbox(loop), self)
        if wait is None:
            self._go_on()
        elif wait.helps:
            loop.call_soon(self._help)
        elif type(entry) is _Admission and (seconds := entry.seconds) is not None:
            timer = loop.call_later(seconds, self._late, entry)
            self.add_done_callback(lambda _: timer.cancel())
        return self

    def _told(self) -> None:
        """Called in the loop, when the turn has come of what it follows, or of what it followed before."""
        entry = self._entry
        if type(entry) is not _Admission or entry.ready:
            self._go_on()

    def _late(self, entry: _Admission) -> None:
        if entry is self._entry:
            self._go_on()

    def _go_on(self) -> None:
        if self.done():
            return
        entry = self._entry
        if type(entry) is _Admission:
            try:
                following = entry.proceed()
            except Exception as refusal:
                self._refuse(refusal)
            else:
                self._follow(following)
            return
        done, cancelled, result, error = entry._get_snapshot()
        if not done:
            return
        self._entry = None
        if cancelled:
            super().cancel()
        elif error is None:
            self.set_result(result)
        elif isinstance(error, StopIteration):  # no future of asyncio's takes it
            wrong = RuntimeError("the task raised StopIteration")
            wrong.__cause__ = error
            self.set_exception(wrong)
        else:
            self.set_exception(error)

    def _refuse(self, error: Exception) -> Self:
        """End by an error that is none of the task's."""
        self._entry = None
        self.set_exception(error.with_traceback(None))  # it would lead through our frames back to this future
        return self

    def _help(self) -> None:
        """In a loop that a worker runs: nobody else may have the task."""
        if self.done():
            return
        try:
            if self._entry._help():
                self.get_loop().call_later(_LOOK_AGAIN, self._help)
        except RecursionError as error:
            self._entry._leave(self._wait)
            self._refuse(error)

    def cancel(self, msg: Any | None = None) -> bool:
        """As `asyncio.Future.cancel`; cancels the task if that has not started."""
        if self.done():
            return False
        entry, self._entry = self._entry, None
        if type(entry) is _Admission:
            entry.abandon()
        else:
            entry._leave(self._wait)
            entry.cancel()
        return super().cancel(msg)

    # As a coroutine: a task that is made of it waits for it.

    def send(self, value: Any, /) -> Any:
        """Begin to wait, or end: as `Coroutine.send`, for whoever runs it as a coroutine."""
        if self.done():
            raise StopIteration(self.result())
        self._asyncio_future_blocking = True  # what asyncio wants of whatever is awaited
        return self

    def throw(self, *args: Any) -> Any:
        """Cancel it, as `Coroutine.throw`: the task that waits for it is about to end."""
        self.cancel()
        try:
            raise args[0] if len(args) == 1 else args[1]
        finally:
            del self, args  # the exception's traceback refers to this frame

    def close(self) -> None:
        """Cancel it, as `Coroutine.close`."""
        self.cancel()


def result_of(future: "Future[T]") -> Generator[Any, None, T]:
    """Wait for it in the running loop: its `__await__`."""
    following: LoopFuture[T] = LoopFuture(loop=asyncio.get_running_loop())
    return following._follow(future).__await__()


def run(method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> LoopFuture[Any]:
    """Submit a task by `method`; return the running loop's future for its result, or its refusal."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return cast(LoopFuture[Any], arun(method, args, kwargs))
    future: LoopFuture[Any] = LoopFuture(loop=loop)
    try:
        entry = method(*args, **kwargs)
    except Exception as error:
        return future._refuse(error)
    return future._follow(entry)


async def arun(method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The same, later: what is called outside of an event loop."""
    return await run(method, *args, **kwargs)
