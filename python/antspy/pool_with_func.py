"""A pool for one function."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack

from ._antspy import _Pool
from .adaptive import Adaptive
from .coroutine import Releases, admitted
from .future import Future
from .lazy import loop_future
from .settings import Settings, complete
from .stats import Stats, read
from .view import Options, PoolWithFuncView

T = TypeVar("T")


class PoolWithFunc(_Pool, Releases, Generic[T]):
    """A pool whose tasks are all calls of one function, which it holds once.

    Args:
        fn: The function.
        capacity: As of `Pool`.
        settings: As of `Pool`.

    Raises:
        TypeError: `fn` is not callable; this is looked at before every other argument.

    >>> from antspy import PoolWithFunc
    >>> squares = []
    >>> pool = PoolWithFunc(lambda number: squares.append(number * number), capacity=2)
    >>> for number in range(3):
    ...     pool.invoke(number)
    >>> pool.wait()
    True
    >>> sorted(squares)
    [0, 1, 4]
    """

    def __init__(
        self, fn: Callable[..., T], capacity: int | Adaptive | None, **settings: Unpack[Settings]
    ) -> None:
        if not callable(fn):
            raise TypeError(f"fn must be callable, not {fn!r}")
        self._open(capacity, **complete(settings, type(self).__name__), function=fn)

    if TYPE_CHECKING:

        def invoke(self, *args: Any) -> None:
            """Call the function with `args` on a worker, as `Pool.go` does."""
            ...

        def submit(self, *args: Any) -> Future[T]:
            """Call the function with `args` on a worker, as `Pool.submit` does."""
            ...
    else:
        # The core's methods under their public names: a call costs no Python frame.
        invoke = _Pool._invoke
        submit = _Pool._invoke_for_result

    async def asubmit(self, *args: Any) -> Future[T]:
        """Call the function with `args` on a worker, as `Pool.asubmit` does."""
        return await admitted(self._begin_invoke(*args))

    def arun(self, *args: Any) -> "loop_future.LoopFuture[T]":
        """Call the function with `args` on a worker; `await` gives what it returned. As `Pool.arun`."""
        return loop_future.run(self._begin_invoke, *args)

    def options(self, **options: Unpack[Options]) -> PoolWithFuncView[T]:
        """Return a view of the pool whose tasks are handed in on these terms, as `Pool.options` does."""
        return PoolWithFuncView(self, options)

    def stats(self) -> Stats:
        """Return what the pool has done so far, as `Pool.stats` does."""
        return read(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        """Shut down, and wait for what was accepted."""
        self.shutdown(wait=True)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<PoolWithFunc {state} capacity={self.capacity} running={self.running}>"
