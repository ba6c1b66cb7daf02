"""The dispatch path from Python, for `instructions.py`: as `dispatch.rs`, for the whole package."""

import gc
import os
import sys
import threading
from collections.abc import Callable

import antspy


def nop() -> None:
    """The task."""


def go(tasks: int) -> None:
    gate, call = hold(POOL.go), POOL.go
    for _ in range(tasks):
        call(nop)
    gate.release()
    POOL.wait()


def submit(tasks: int) -> None:
    gate, call = hold(POOL.go), POOL.submit
    futures = [call(nop) for _ in range(tasks)]
    gate.release()
    POOL.wait()
    for future in futures:
        future.result()


def invoke(tasks: int) -> None:
    gate, call = hold(FIXED.invoke), FIXED.invoke
    for _ in range(tasks):
        call(nop)
    gate.release()
    FIXED.wait()


def hold(call: Callable[..., object]) -> threading.Lock:
    """Hand in a task that keeps the worker until the lock is released."""
    gate = threading.Lock()
    gate.acquire()
    inside = threading.Event()

    def wait() -> None:
        inside.set()
        gate.acquire()

    call(wait)
    inside.wait()
    return gate


POOL = antspy.Pool(1, queue_size=None, expiry=None)
FIXED = antspy.PoolWithFunc(lambda task: task(), 1, queue_size=None, expiry=None)


def main() -> None:
    tasks, repeats = map(int, sys.argv[1:])
    gc.disable()
    for measure in (go, submit, invoke):
        measure(2 * tasks)  # what grows has grown after that
        os.getppid()
        for times in (tasks, 2 * tasks) * repeats:
            measure(times)
            os.getppid()
    POOL.shutdown()
    FIXED.shutdown()


if __name__ == "__main__":
    main()
