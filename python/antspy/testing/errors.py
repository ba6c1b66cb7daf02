"""The errors of the pools for tests."""

from antspy.errors import PoolError


class StuckError(PoolError, RuntimeError):
    """Somebody waits for what no task of the pool can bring: a program with a real pool would hang.

    >>> from antspy import WaitGroup
    >>> from antspy.testing import SeededPool, StuckError
    >>> with SeededPool(2, seed=7) as pool:
    ...     group = WaitGroup(pool)
    ...     group.add()  # and nobody calls done()
    ...     try:
    ...         group.wait()
    ...     except StuckError as error:
    ...         print(error)
    <SeededPool open capacity=2 seed=7> has no task left that could end this wait
    """
