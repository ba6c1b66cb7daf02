"""Several pools for one function, as one."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, Unpack

from .adaptive import Adaptive
from .coroutine import admitted
from .future import Future
from .lazy import loop_future
from .multi_pool import Strategy, _MultiPool
from .pool_with_func import PoolWithFunc
from .settings import Settings

T = TypeVar("T")


class MultiPoolWithFunc(_MultiPool[PoolWithFunc[T]], Generic[T]):
    """Several pools as one, whose tasks are all calls of one function.

    Args:
        fn: The function.
        size: As of `MultiPool`.
        capacity: As of `MultiPool`.
        strategy: As of `MultiPool`.
        settings: As of `Pool`, for each sub-pool.

    Raises:
        TypeError: `fn` is not callable; this is looked at before every other argument.

    >>> from antspy import MultiPoolWithFunc
    >>> squares = []
    >>> multi = MultiPoolWithFunc(lambda number: squares.append(number * number), size=2, capacity=2)
    >>> for number in range(3):
    ...     multi.invoke(number)
    >>> multi.wait()
    True
    >>> sorted(squares)
    [0, 1, 4]
    """

    def __init__(
        self,
        fn: Callable[..., T],
        size: int,
        capacity: int | Adaptive | None,
        strategy: Strategy = "round_robin",
        **settings: Unpack[Settings],
    ) -> None:
        if not callable(fn):
            raise TypeError(f"fn must be callable, not {fn!r}")
        super().__init__(size, strategy, settings, lambda one: PoolWithFunc(fn, capacity, **one))

    def invoke(self, *args: Any) -> None:
        """Call the function with `args` on a sub-pool, as `PoolWithFunc.invoke` does."""
        self._dispatcher.call(self._pools, "invoke", *args)

    def submit(self, *args: Any) -> Future[T]:
        """Call the function with `args` on a sub-pool, as `PoolWithFunc.submit` does."""
        future: Future[T] = self._dispatcher.call(self._pools, "submit", *args)
        return future

    async def asubmit(self, *args: Any) -> Future[T]:
        """Call the function with `args` on a sub-pool, as `PoolWithFunc.asubmit` does."""
        return await admitted(self._begin_invoke(*args))

    def arun(self, *args: Any) -> "loop_future.LoopFuture[T]":
        """Call the function with `args` on a sub-pool, as `PoolWithFunc.arun` does."""
        return loop_future.run(self._begin_invoke, *args)

    def _begin_invoke(self, *args: Any) -> Any:
        return self._dispatcher.call(self._pools, "_begin_invoke", *args)
