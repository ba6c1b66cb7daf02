"""The inline pool."""

from typing import Unpack

from antspy.adaptive import Adaptive
from antspy.settings import Settings

from .pool import ThreadlessPool


class InlinePool(ThreadlessPool):
    """An `antspy.Pool` that runs each task in its submitter: when `submit` or `go` returns, it has ended.

    All else is as in a `Pool`: a future keeps what its task raised, what a `go` task raised goes to the
    `exception_handler`, terms and refusals are the same. There are no threads, so `running` is always 0.
    What is submitted while the pool is paused runs in `resume`.

    Args:
        capacity: As in `Pool`. Tasks that submit tasks are in flight together.
        settings: As in `Pool`; `initializer` and `finalizer` need workers and are refused.

    Raises:
        ValueError, TypeError: An argument makes no sense; the message names it and the value.

    >>> from antspy.testing import InlinePool
    >>> with InlinePool() as pool:
    ...     future = pool.submit(abs, -1)
    ...     future.done(), future.result()
    (True, 1)
    """

    def __init__(self, capacity: int | Adaptive | None = None, /, **settings: Unpack[Settings]) -> None:
        super().__init__(capacity, inline=True, **settings)

    def resume(self) -> None:
        """As `Pool.resume`; what was submitted meanwhile runs in this call."""
        super().resume()
        self.run_all()
