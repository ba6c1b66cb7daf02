"""The pools whose numbers are told elsewhere: each by a name, and held weakly."""

import weakref
from collections.abc import Iterator
from typing import Any

from ._antspy import _Pool
from .progress import HasStats, judge_pool
from .stats import Stats
from .view import SubPool


class Watched:
    """Pools by name. One that nobody else holds is gone, and so is its name."""

    def __init__(self) -> None:
        self._pools: dict[str, weakref.ref[HasStats]] = {}

    def add(
        self, pools: tuple[HasStats, ...], named: dict[str, HasStats]
    ) -> dict[str, weakref.ref[HasStats]]:
        """Add pools by their own names, and others by those given here: all, or none of them.

        Returns:
            What `remove` takes.

        Raises:
            TypeError: One has no `stats()`.
            ValueError: Two pools would have the same name.
        """
        found = [(name_of(pool), whole(pool)) for pool in pools]
        found += [(name, whole(pool)) for name, pool in named.items()]
        new: dict[str, weakref.ref[HasStats]] = {}
        for name, pool in found:
            if name in new or name in dict(self.items()):
                raise ValueError(f"there are two pools called {name!r}: name one by keyword")
            new[name] = weakref.ref(pool)
        self._pools |= new
        return new

    def remove(self, added: dict[str, weakref.ref[HasStats]]) -> None:
        """Forget those pools."""
        for name, ref in added.items():
            self._forget(name, ref)

    def _forget(self, name: str, ref: weakref.ref[HasStats]) -> None:
        if self._pools.get(name) is ref:  # else another pool has the name by now
            self._pools.pop(name, None)

    def items(self) -> Iterator[tuple[str, HasStats]]:
        """Yield each name and its pool."""
        for name, ref in self._pools.copy().items():
            if (pool := ref()) is not None:
                yield name, pool
            else:
                self._forget(name, ref)

    def read(self) -> list[tuple[str, Stats]]:
        """Return the numbers of each pool; those of one pool are of one moment."""
        return [(name, pool.stats()) for name, pool in self.items()]


def whole(pool: HasStats) -> HasStats:
    """Return the pool that a view is of: nobody may hold the view itself."""
    judge_pool(pool)
    found: HasStats = _owner(pool)
    return found


def name_of(pool: Any) -> str:
    """Return a pool's own name: what its workers' names begin with."""
    owner = core(pool)
    return str(getattr(owner, "_name", type(owner).__name__))


def core(pool: Any) -> Any:
    """Return the pool in whose workers tasks run: that of a view or sub-pool."""
    owner = _owner(pool)
    return owner._pool if isinstance(owner, SubPool) else owner


def _owner(pool: Any) -> Any:
    while not isinstance(pool, _Pool) and (owner := getattr(pool, "_owner", None)) is not None:
        pool = owner
    return pool
