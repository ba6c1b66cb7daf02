"""Futures of an event loop: how coroutines wait for what threads do."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Protocol, Self, TypeVar
from weakref import WeakKeyDictionary

from ._antspy import _Admission, _Future, _Mailbox, _Wait

T = TypeVar("T")

_mailboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Mailbox] = WeakKeyDictionary()


class Awaited(Protocol):
    """What a coroutine can wait for."""

    def _join(self, wait: _Wait, /) -> bool:
        """Have the coroutine told of the end. `False`: there is nothing to wait for."""
        ...

    def _leave(self, wait: _Wait, /) -> object:
        """Do not have it told any more."""


class _Told(asyncio.Future[None]):
    """Ends when its turn has come."""

    __slots__ = ()

    def _told(self) -> None:
        if not self.done():
            self.set_result(None)


def _wait(told: "_Told | LoopFuture[Any]", loop: asyncio.AbstractEventLoop) -> _Wait:
    mailbox = _mailboxes.get(loop)
    if mailbox is None:
        mailbox = _mailboxes.setdefault(loop, _Mailbox(loop))
    return mailbox.wait(told)


async def wait_for(awaited: Awaited) -> None:
    """Wait without blocking the event loop. A coroutine that is cancelled leaves the line."""
    loop = asyncio.get_running_loop()
    told = _Told(loop=loop)
    wait = _wait(told, loop)
    if not awaited._join(wait):
        return
    try:
        await told
    except BaseException:
        awaited._leave(wait)
        raise


class LoopFuture(asyncio.Future[T], Coroutine[Any, Any, T]):
    """The result of a pool's task, as a future of an event loop: what `Pool.arun` returns.

    It can be awaited, and given to whatever takes a future or a coroutine (`asyncio.gather`, `asyncio.wait`,
    `asyncio.create_task`). Cancelling it cancels a task that has not started.
    """

    __slots__ = ("_entry", "_steps", "_wait")
    _entry: Any
    """What it follows: the task's future, or the admission that comes before."""
    _steps: Generator[Any, Any, T]
    _wait: _Wait

    def follow(self, entry: "_Future[T] | _Admission") -> Self:
        """End as the task does. To be called once."""
        self._entry = entry
        self._listen()
        return self

    def _listen(self) -> None:
        entry, loop = self._entry, self.get_loop()
        self._wait = _wait(self, loop)
        if not entry._join(self._wait):
            self._told()
        elif type(entry) is _Admission and entry.seconds is not None:
            timer = loop.call_later(entry.seconds, self._late, entry)
            self.add_done_callback(lambda _: timer.cancel())

    def _late(self, entry: _Admission) -> None:
        if entry is self._entry:
            self._told()

    def _told(self) -> None:
        """Go on: called in the loop."""
        if self.done():
            return
        entry = self._entry
        if type(entry) is _Admission:
            try:
                self._entry = entry.proceed()
            except Exception as refusal:
                self.set_exception(refusal)
            else:
                self._listen()
            return
        _, cancelled, result, error = entry._get_snapshot()
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

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel it, and the task if that has not started. `False`: it had ended before."""
        if not super().cancel(msg):
            return False
        entry = self._entry
        if type(entry) is _Admission:
            entry.abandon()
        else:
            entry._leave(self._wait)
            entry.cancel()
        return True

    # As a coroutine: a task that is made of it waits for it.

    def _run(self) -> Generator[Any, Any, T]:
        try:
            return self._steps
        except AttributeError:
            self._steps = self.__await__()
            return self._steps

    def send(self, value: Any, /) -> Any:
        """Begin to wait, or go on."""
        return self._run().send(value)

    def throw(self, *args: Any) -> Any:
        """Cancel it: the task that waits for it is about to end."""
        self.cancel()
        return self._run().throw(*args)

    def close(self) -> None:
        """Cancel it."""
        self.cancel()
