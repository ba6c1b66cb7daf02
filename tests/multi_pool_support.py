"""What the tests of several pools as one have in common."""

import threading

from antspy import Pool
from antspy.multi_pool import Strategy
from support import Gate

STRATEGIES: list[Strategy] = ["round_robin", "least_tasks"]


def place(*_: object) -> str:
    """Where a task runs: its worker's name without the worker's number."""
    return threading.current_thread().name.rpartition("_")[0]


def occupy(pool: Pool, gate: Gate, tasks: int) -> None:
    for _ in range(tasks):
        pool.go(gate)
    gate.wait_entered(tasks)
