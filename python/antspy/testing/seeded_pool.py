"""The seeded pool."""

import random
from types import TracebackType
from typing import Unpack

from antspy.adaptive import Adaptive
from antspy.settings import Settings

from .pool import ThreadlessPool


class SeededPool(ThreadlessPool):
    """An `antspy.Pool` that runs its tasks one at a time, in an order drawn from a seed.

    Tasks are queued, and run in the thread that waits: in `result`, in `wait`, in a `map`'s next result, at
    the end of a `with` block, in a `submit` that finds the pool full. `run_one`, `run_all` and `release` run
    them as well. Each time one of the first `capacity` tasks of the queue is drawn: those that could run at
    the same time in a real pool, whose effects come in any order. So a pool of capacity 1 keeps the order,
    as a real one does. A task that waits for another runs it, or others, in its midst. The pool is for one
    thread.

    The draw is `int(random.Random(seed).random() * count)`, once for each choice of more than one: the same
    on every machine and Python.

    A wait that no task can end raises `StuckError`; one with a timeout ends at once then, as if that time
    were over.

    Args:
        capacity: As in `Pool`.
        seed: A whole number; `None`: one is drawn. It is in `pool.seed`, in the pool's `repr`, and in a
            note on an exception that leaves the `with` block.
        settings: As in `Pool`; `initializer` and `finalizer` need workers and are refused.

    Raises:
        ValueError, TypeError: An argument makes no sense; the message names it and the value.

    >>> from antspy.testing import SeededPool
    >>> def order(seed):
    ...     ran = []
    ...     with SeededPool(4, seed=seed, queue_size=None) as pool:
    ...         for letter in "abcd":
    ...             pool.go(ran.append, letter)
    ...     return "".join(ran)
    >>> order(1), order(1), order(2)
    ('adcb', 'adcb', 'dcab')
    """

    def __init__(
        self,
        capacity: int | Adaptive | None = None,
        /,
        *,
        seed: int | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise TypeError(f"seed must be an int or None, not {seed!r}")
        self._seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self._random = random.Random(self._seed)
        super().__init__(capacity, inline=False, **settings)

    @property
    def seed(self) -> int:
        """What the order is drawn from."""
        return self._seed

    def _draw(self, count: int) -> int:
        return int(self._random.random() * count)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.shutdown()
        except BaseException as raised:
            self._note(raised)
            raise
        finally:
            if error is not None:
                self._note(error)

    def _note(self, error: BaseException) -> None:
        error.add_note(f"in the order of {type(self).__name__}(seed={self.seed})")

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<{type(self).__name__} {state} capacity={self.capacity} seed={self.seed}>"
