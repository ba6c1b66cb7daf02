"""The result of a task."""

import concurrent.futures
from collections.abc import Generator
from typing import Any, TypeVar

from ._antspy import _Future, _register_future
from .lazy import loop_future

T = TypeVar("T")


class Future(_Future[T], concurrent.futures.Future[T]):
    """The result of a task that was submitted.

    A `concurrent.futures.Future` in every respect, so that `concurrent.futures.wait`, `as_completed` and
    `asyncio.wrap_future` take it; and it can be awaited.

    >>> from antspy import Pool
    >>> with Pool(2) as pool:
    ...     pool.submit(divmod, 7, 2).result(timeout=10)
    (3, 1)
    """

    __slots__ = ()
    # The state is made with the object; the standard class's __init__ would add a second one.
    __init__ = object.__init__

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the result in a coroutine. Cancelling the await cancels a task not yet started."""
        return loop_future.result_of(self)


_register_future(Future)
