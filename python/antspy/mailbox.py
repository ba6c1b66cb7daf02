"""Waiting in a coroutine, without blocking its event loop."""

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol, cast
from weakref import WeakKeyDictionary

from ._antspy import _Mailbox, _Wait

_mailboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Mailbox] = WeakKeyDictionary()


class Awaited(Protocol):
    """What a coroutine can wait for."""

    def _join(self, wait: _Wait, /) -> bool:
        """Have the coroutine told of the end. `False`: there is nothing to wait for."""

    def _leave(self, wait: _Wait, /) -> object:
        """Do not have it told any more."""


def wait_for(awaited: Awaited) -> Generator[Any, None, None]:
    """Wait, by `yield from` in an `__await__`. All that an event loop's coroutines are told shares a wake-up.

    If the coroutine is cancelled it leaves the line, and nothing else happens.
    """
    loop = asyncio.get_running_loop()
    mailbox = _mailboxes.get(loop)
    if mailbox is None:
        mailbox = _mailboxes.setdefault(loop, _Mailbox(loop))
    told = loop.create_future()
    wait = mailbox.wait(told)
    if not awaited._join(wait):
        return
    try:
        yield from told
    except BaseException:
        awaited._leave(wait)
        raise


# The same function: the decorator has marked it as one that can also be awaited.
waited = cast(Callable[[Awaited], Awaitable[None]], types.coroutine(wait_for))
