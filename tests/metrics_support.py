"""What the tests of those who tell pools' numbers elsewhere have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from antspy import MultiPool, MultiPoolWithFunc, Pool, PoolOverloadError, PoolWithFunc, ThreadPoolExecutor
from support import Gate

KINDS: list[Callable[[], Any]] = [
    lambda: Pool(2, thread_name_prefix="own"),
    lambda: MultiPool(2, 2, thread_name_prefix="own"),
    lambda: PoolWithFunc(abs, 2, thread_name_prefix="own"),
    lambda: MultiPoolWithFunc(abs, 2, 2, thread_name_prefix="own"),
    lambda: ThreadPoolExecutor(2, thread_name_prefix="own"),
]
"""How each kind of pool is made with a name of its own."""


def give_ten(pool: Any) -> None:
    """Have a pool of any kind do ten tasks."""
    for number in range(10):
        if hasattr(pool, "invoke"):
            pool.invoke(number)
        else:
            pool.go(abs, number)
    pool.wait()


@contextmanager
def hard_day(gate: Gate) -> Iterator[Pool]:
    """Yield a full pool that has accepted 8 tasks, and refused one.

    One each was completed, failed and cancelled; two run until the gate opens, and three are queued.
    """
    with Pool(2, queue_size=3, expiry=None, overflow="raise", exception_handler=print) as pool:
        pool.submit(abs, -1).result()
        with pytest.raises(ValueError, match="no number"):
            pool.submit(int, "no number").result()
        for _ in range(2):
            pool.go(gate)
        gate.wait_entered(2)
        pool.submit(abs, -1).cancel()
        for _ in range(3):
            pool.go(abs, -1)
        with pytest.raises(PoolOverloadError):
            pool.go(abs, -1)
        yield pool
