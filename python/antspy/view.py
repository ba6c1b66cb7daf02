"""Views of a pool: the same methods, with other terms for the tasks that go through them."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypedDict, TypeVar, Unpack

from ._antspy import _Pool, _View
from .coroutine import Submits, admitted
from .future import Future
from .group import Group
from .lazy import loop_future
from .map import map_tasks
from .stats import Stats

T = TypeVar("T")

Priority = Literal["high", "normal", "low"]
"""The lane of a task."""


class Options(TypedDict, total=False):
    """Keyword arguments of `Pool.options`, described there."""

    timeout: float | None
    deadline: float | None
    priority: Priority
    name: str | None


_DEFAULTS: Options = {"timeout": None, "deadline": None, "priority": "normal", "name": None}


class _AnyView(_View):
    """What the views share: `owner` is whose view it is, and has all other methods.

    It has slots and no `__dict__`, whose allocation could fail after the object's own: the half-made object
    would then be ended as a whole one, which crashes.
    """

    __slots__ = ("__weakref__", "_owner")
    _owner: Any

    def __new__(cls, owner: Any, options: Options) -> Self:
        pool: _Pool = owner if isinstance(owner, _Pool) else owner._pool
        places = owner if isinstance(owner, _View) else None
        terms: Any = {**_DEFAULTS, **options}  # a wrong name is a TypeError there
        return super().__new__(cls, pool, places=places, **terms)

    def __init__(self, owner: Any, options: Options) -> None:
        self._owner = owner._owner if isinstance(owner, _AnyView) else owner

    if TYPE_CHECKING:

        def stats(self) -> Stats:
            """As `Pool.stats`."""
            ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._owner, name)


class PoolView(_AnyView, Submits):
    """A pool, or a sub-pool, whose tasks are handed in on other terms. Made by `Pool.options`.

    It has every method of its owner; `submit`, `go`, `map` and `group` keep to the terms.

    >>> from antspy import Pool
    >>> with Pool(2) as pool:
    ...     urgent = pool.options(priority="high", timeout=5)
    ...     urgent.submit(abs, -1).result()
    1
    """

    __slots__ = ()

    submit = _View._submit
    go = _View._go

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        progress: bool | str = False,
    ) -> Iterator[T]:
        """As `Pool.map`; the terms hold for each task."""
        return map_tasks(self, fn, iterables, timeout, chunksize, buffersize, progress)

    def group(self) -> Group:
        """As `Pool.group`; the terms hold for each task."""
        return Group(self)

    def options(self, **options: Unpack[Options]) -> "PoolView":
        """Return a view with these terms (as `Pool.options`), and this one's where none are given."""
        return PoolView(self, {**self._settings(), **options})

    @property
    def _places(self) -> int | None:
        places: int | None = self._owner._places
        return places

    def __repr__(self) -> str:
        return f"<PoolView of {self._owner!r}{_shown(self)}>"


class PoolWithFuncView(_AnyView, Generic[T]):
    """A `PoolWithFunc` whose tasks are handed in on other terms. Made by `PoolWithFunc.options`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def invoke(self, *args: Any) -> None:
            """As `PoolWithFunc.invoke`."""
            ...

        def submit(self, *args: Any) -> Future[T]:
            """As `PoolWithFunc.submit`."""
            ...
    else:
        invoke = _View._invoke
        submit = _View._invoke_for_result

    async def asubmit(self, *args: Any) -> Future[T]:
        """As `PoolWithFunc.asubmit`."""
        return await admitted(self._begin_invoke(*args))

    def arun(self, *args: Any) -> "loop_future.LoopFuture[T]":
        """As `PoolWithFunc.arun`."""
        return loop_future.run(self._begin_invoke, *args)

    def options(self, **options: Unpack[Options]) -> "PoolWithFuncView[T]":
        """Return a view with these terms (as `Pool.options`), and this one's where none are given."""
        return PoolWithFuncView(self, {**self._settings(), **options})

    def __repr__(self) -> str:
        return f"<PoolWithFuncView of {self._owner!r}{_shown(self)}>"


def _shown(view: _View) -> str:
    settings = view._settings()
    return "".join(f" {name}={value!r}" for name, value in settings.items() if value != _DEFAULTS.get(name))


class SubPool(_View, Submits):
    """At most `n` of a pool's places, and the pool's workers. Made by `Pool.subpool`.

    Its tasks take a place here and then one in the pool, and do what the pool's `overflow` says where there
    is none. A task of the pool that submits to a full sub-pool runs that task itself, in its own place.

    >>> from antspy import Pool
    >>> with Pool(8) as pool:
    ...     polite = pool.subpool(2)  # at most two at once, whatever else the pool does
    ...     list(polite.map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    __slots__ = ("__weakref__",)
    submit = _View._submit
    go = _View._go

    def __new__(cls, pool: _Pool, n: int) -> Self:
        if n is None or isinstance(n, _View):  # these mean something else there
            raise TypeError(f"n must be an int, not {n!r}")
        return super().__new__(cls, pool, places=n, **_DEFAULTS)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        progress: bool | str = False,
    ) -> Iterator[T]:
        """As `Pool.map`; looks ahead no further than this sub-pool's places."""
        return map_tasks(self, fn, iterables, timeout, chunksize, buffersize, progress)

    def group(self) -> Group:
        """As `Pool.group`."""
        return Group(self)

    def options(self, **options: Unpack[Options]) -> PoolView:
        """As `Pool.options`."""
        return PoolView(self, options)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all tasks of this sub-pool are done, as `Pool.wait`.

        Returns:
            `False` if that takes longer than `timeout` seconds.

        Raises:
            RuntimeError: Called by a task of the pool: it might wait for itself, or for one that nobody else
                can run.
        """
        return self._wait_subpool(timeout)

    def tune(self, n: int) -> None:
        """Set how many places it has, `n`, at least 1, from any thread; as `Pool.tune`."""
        self._tune_subpool(n)

    @property
    def capacity(self) -> int:
        """How many places it has."""
        return self._numbers()[0]

    @property
    def running(self) -> int:
        """How many of them are taken."""
        return self._numbers()[1]

    @property
    def free(self) -> int:
        """How many of them are not, never below 0."""
        places, taken, _ = self._numbers()
        return max(0, places - taken)

    @property
    def waiting(self) -> int:
        """Callers blocked here now; those that wait for a place in the pool itself are counted there."""
        return self._numbers()[2]

    @property
    def closed(self) -> bool:
        """Whether the pool refuses new work."""
        return self._pool.closed

    @property
    def _places(self) -> int:
        places = self._pool._places
        return self.capacity if places is None else min(self.capacity, places)

    def _numbers(self) -> tuple[int, int, int]:
        numbers = self._places_of_subpool()
        assert numbers is not None
        return numbers

    def __repr__(self) -> str:
        return f"<SubPool capacity={self.capacity} of {self._pool!r}>"
