"""Several pools as one."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, Self, TypeVar, Unpack, get_args

from ._antspy import _Pool
from .adaptive import Adaptive
from .coroutine import Submits
from .deadline import deadline, left
from .errors import PoolOverloadError
from .future import Future
from .group import Group
from .map import map_tasks
from .pool import Pool
from .pool_with_func import PoolWithFunc
from .settings import Settings, prefix, whole
from .stats import Stats, read, total
from .view import Options

P = ParamSpec("P")
T = TypeVar("T")
PoolT = TypeVar("PoolT", bound="Pool | PoolWithFunc[Any]")

Strategy = Literal["round_robin", "least_tasks"]
"""Which sub-pool gets a task."""


class _Dispatcher:
    """Chooses a sub-pool for each task."""

    def __init__(self, pools: Sequence[_Pool], strategy: Strategy) -> None:
        self._pools = pools
        self._strategy = strategy
        # One step of it cannot be divided: under the GIL it is one call into C, without a GIL an atomic
        # exchange. A lock would be slower, and could be held in the moment of a fork.
        self._numbers = itertools.count()

    def call(self, targets: Sequence[Any], method: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a method of one of `targets`, which stand for the sub-pools and have their order."""
        if self._strategy == "round_robin":
            chosen = targets[next(self._numbers) % len(targets)]
            try:
                return getattr(chosen, method)(*args, **kwargs)
            except PoolOverloadError:
                pass  # once more, elsewhere; what comes of that is the caller's to know
        return getattr(targets[self._least_tasks()], method)(*args, **kwargs)

    def _least_tasks(self) -> int:
        pools = self._pools
        return min(range(len(pools)), key=lambda number: pools[number]._in_flight)


class _MultiPool(Generic[PoolT]):
    """What `MultiPool` and `MultiPoolWithFunc` have in common: all but how a task is submitted."""

    def __init__(
        self, size: int, strategy: Strategy, settings: Settings, make: Callable[[Settings], PoolT]
    ) -> None:
        count = _size(size)
        if strategy not in get_args(Strategy):
            raise ValueError(f"strategy must be 'round_robin' or 'least_tasks', not {strategy!r}")
        self._name = name = prefix(settings.get("thread_name_prefix", ""), type(self).__name__)
        made: list[PoolT] = []
        try:
            for number in range(count):
                made.append(make({**settings, "thread_name_prefix": f"{name}-{number}"}))
        except BaseException:
            _close(made)
            raise
        self._pools = tuple(made)
        self._strategy = strategy
        self._dispatcher = _Dispatcher(self._pools, strategy)

    @property
    def pools(self) -> tuple[PoolT, ...]:
        """The sub-pools. Each is a pool like any other, and may be used and tuned by itself."""
        return self._pools

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all accepted tasks of all sub-pools are done, as `Pool.wait`. They stay open.

        The sub-pools are looked at one after the other, again and again until none has a task left.

        Returns:
            `False` if that takes longer than `timeout` seconds.

        Raises:
            RuntimeError: Called by a task of a sub-pool: it would wait for itself.
        """
        end = deadline(timeout)
        while all(pool.wait(left(end)) for pool in self._pools):
            # A task of a later pool may have submitted one to an earlier pool meanwhile.
            if all(pool.wait(0) for pool in self._pools):
                return True
        return False

    def tune(self, capacity: int | Adaptive | None) -> None:
        """Set the capacity of each sub-pool, as `Pool.tune` does."""
        for pool in self._pools:
            pool.tune(capacity)

    def release(self, timeout: float | None = 0) -> None:
        """Close all sub-pools, then wait up to `timeout` seconds until all their workers are gone.

        Otherwise as `Pool.release`: what was accepted still runs, 0 does not wait and never raises, and
        `None` waits for ever.

        Raises:
            TimeoutError: Workers are left. All sub-pools are closed; `release` may be called again.
        """
        end = deadline(timeout)
        _close(self._pools)
        if timeout == 0:
            return
        try:
            for pool in self._pools:
                # Not 0 where no time is left: that would not tell whether workers are.
                pool.release(left(end, least=1e-9))
        except TimeoutError:
            raise self._late("release()", timeout) from None

    async def arelease(self, timeout: float | None = None) -> None:
        """Close all sub-pools, and wait in a coroutine until their workers are gone, as `Pool.arelease`."""
        end = deadline(timeout)
        _close(self._pools)
        try:
            for pool in self._pools:
                await pool.arelease(left(end))
        except TimeoutError:
            raise self._late("arelease()", timeout) from None

    def _late(self, method: str, timeout: float | None) -> TimeoutError:
        message = (
            f"the pools still have {self.running} workers after {timeout} s; {method} may be called again"
        )
        return TimeoutError(message)

    def reboot(self) -> None:
        """Open all sub-pools that are closed again, as `Pool.reboot`, each once its workers are gone.

        Raises:
            RuntimeError: A sub-pool cannot be opened (see `Pool.reboot`). Those that this call has opened
                are closed again; `reboot` may be called again.
        """
        opened: list[PoolT] = []
        try:
            for pool in self._pools:
                if pool.closed:
                    opened.append(pool)
                    pool.reboot()
        except BaseException:
            # Half of the tasks would be refused, and nothing would say so but their errors.
            _close(opened)
            raise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close all sub-pools, as `Pool.shutdown`; with `wait`, until all workers are gone.

        `cancel_futures` cancels what has not started.
        """
        # All before any: the task of a cancelled future may be submitted elsewhere by its callback.
        # But closing a paused one would start what is to be cancelled.
        _close(pool for pool in self._pools if not (cancel_futures and pool.paused))
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=cancel_futures)
        if wait:
            for pool in self._pools:
                pool.shutdown(wait=True)

    def pause(self) -> None:
        """Start no more tasks until `resume`, as `Pool.pause`."""
        for pool in self._pools:
            pool.pause()

    def resume(self) -> None:
        """End a pause, as `Pool.resume`."""
        for pool in self._pools:
            pool.resume()

    def stats(self) -> Stats:
        """Return the sums of what the sub-pools have done so far, as `Pool.stats` does."""
        return total([read(pool) for pool in self._pools])

    @property
    def capacity(self) -> int | None:
        """The sum of the sub-pools' `capacity`; `None`: one of them has no limit."""
        return _sum(pool.capacity for pool in self._pools)

    @property
    def running(self) -> int:
        """The sum of the sub-pools' `running`: live workers, busy and idle."""
        return sum(pool.running for pool in self._pools)

    @property
    def free(self) -> int | None:
        """The sum of the sub-pools' `free`; `None`: one of them has no limit."""
        return _sum(pool.free for pool in self._pools)

    @property
    def waiting(self) -> int:
        """The sum of the sub-pools' `waiting`: callers blocked in a submit now."""
        return sum(pool.waiting for pool in self._pools)

    @property
    def busy(self) -> int:
        """The sum of the sub-pools' `busy`: workers that are not idle."""
        return sum(pool.busy for pool in self._pools)

    @property
    def idle(self) -> int:
        """The sum of the sub-pools' `idle`: workers with nothing to do."""
        return sum(pool.idle for pool in self._pools)

    @property
    def queued(self) -> int:
        """The sum of the sub-pools' `queued`: accepted tasks that no worker has taken yet."""
        return sum(pool.queued for pool in self._pools)

    @property
    def closed(self) -> bool:
        """Whether all sub-pools are closed."""
        return all(pool.closed for pool in self._pools)

    @property
    def _places(self) -> int | None:
        return _sum(pool._places for pool in self._pools)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Shut down, and wait for what was accepted."""
        self.shutdown(wait=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close all sub-pools, and wait for what was accepted."""
        await self.arelease()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return (
            f"<{type(self).__name__} {state} size={len(self._pools)} strategy={self._strategy} "
            f"capacity={self.capacity} running={self.running}>"
        )


class MultiPool(_MultiPool[Pool], Submits, Executor):
    """Several pools as one: `size` sub-pools of `capacity` workers each, in `pools`.

    For a machine with so many threads that submit that they would wait for each other at one pool.

    A task that hands in another here may wait for a different sub-pool, as for any other pool, and two
    of them for each other for ever. Nested work belongs in one `Pool`.

    Args:
        size: How many sub-pools, at least 1.
        capacity: Of each sub-pool; as of `Pool`.
        strategy: Which sub-pool gets a task. `"round_robin"`: each in its turn, whatever it has to do; if
            it raises `PoolOverloadError`, the one with the fewest tasks is tried once. `"least_tasks"`:
            the first of those with the fewest unfinished tasks.
        settings: As of `Pool`, for each sub-pool. The workers of `pools[i]` are called
            `{thread_name_prefix}-{i}_0`, `{thread_name_prefix}-{i}_1`, ...

    Raises:
        ValueError, TypeError: An argument makes no sense; the message names it and the value. `size` is
            looked at first, then `strategy`.

    >>> from antspy import MultiPool
    >>> with MultiPool(2, 4, "least_tasks") as multi:
    ...     print(multi.submit(pow, 2, 10).result(), multi.capacity, multi.pools[1].capacity)
    1024 8 4
    """

    def __init__(
        self,
        size: int,
        capacity: int | Adaptive | None,
        strategy: Strategy = "round_robin",
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(size, strategy, settings, lambda one: Pool(capacity, **one))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` on a sub-pool, as `Pool.submit` does, and return its future."""
        future: Future[T] = self._dispatcher.call(self._pools, "submit", fn, *args, **kwargs)
        return future

    def _begin(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self._dispatcher.call(self._pools, "_begin", fn, *args, **kwargs)

    def go(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run `fn(*args, **kwargs)` on a sub-pool; nobody gets the result. As `Pool.go`."""
        self._dispatcher.call(self._pools, "go", fn, *args, **kwargs)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        progress: bool | str = False,
    ) -> Iterator[T]:
        """Call `fn` with the items of `iterables` and yield the results in order, as `Pool.map` does.

        It looks ahead no further than all sub-pools together have places.

        >>> from antspy import MultiPool
        >>> with MultiPool(2, 2) as multi:
        ...     list(multi.map(pow, [2, 3], [5, 2]))
        [32, 9]
        """
        return map_tasks(self, fn, iterables, timeout, chunksize, buffersize, progress)

    def group(self) -> Group:
        """Return a group of tasks, as `Pool.group` does."""
        return Group(self)

    def options(self, **options: Unpack[Options]) -> "MultiPoolView":
        """Return a view whose tasks are handed in on other terms, as `Pool.options` does."""
        return MultiPoolView(self, options)


class MultiPoolView(Submits):
    """A `MultiPool` whose tasks are handed in on other terms. Made by `MultiPool.options`.

    It has every method of its owner; `submit`, `go`, `map` and `group` keep to the terms.
    """

    def __init__(self, owner: MultiPool, options: Options) -> None:
        self._owner = owner
        self._options = options
        self._views = [pool.options(**options) for pool in owner.pools]

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `MultiPool.submit`."""
        future: Future[T] = self._owner._dispatcher.call(self._views, "submit", fn, *args, **kwargs)
        return future

    def _begin(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self._owner._dispatcher.call(self._views, "_begin", fn, *args, **kwargs)

    def go(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `MultiPool.go`."""
        self._owner._dispatcher.call(self._views, "go", fn, *args, **kwargs)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        progress: bool | str = False,
    ) -> Iterator[T]:
        """As `MultiPool.map`; the terms hold for each task."""
        return map_tasks(self, fn, iterables, timeout, chunksize, buffersize, progress)

    def group(self) -> Group:
        """As `MultiPool.group`; the terms hold for each task."""
        return Group(self)

    def options(self, **options: Unpack[Options]) -> "MultiPoolView":
        """Return a view with these terms, and this one's where none are given."""
        return MultiPoolView(self._owner, {**self._options, **options})

    @property
    def _places(self) -> int | None:
        return self._owner._places

    if TYPE_CHECKING:

        def stats(self) -> Stats:
            """As `MultiPool.stats`."""
            ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._owner, name)


def _size(size: int) -> int:
    count = whole("size", size)
    if count < 1:
        raise ValueError(f"size must be at least 1, not {size!r}")
    return count


def _close(pools: Iterable[_Pool]) -> None:
    for pool in pools:
        pool.release()


def _sum(numbers: Iterable[int | None]) -> int | None:
    """`None`, no limit, if one of them has none."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total
