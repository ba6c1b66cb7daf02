"""`multiprocessing.pool.ThreadPool`."""

from collections.abc import Iterable
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import Any

from case import Case

from vs.peer import Peer, Task


class MultiprocessingPool(Peer):
    name = "multiprocessing ThreadPool"
    result = staticmethod(AsyncResult.get)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.pool = ThreadPool(case.capacity)
        self.submit = self.pool.apply_async

    def go(self, task: Task, *args: Any) -> None:
        self.pool.apply_async(task, args)

    def wait(self) -> None:
        self.pool.close()
        self.pool.join()

    def map(self, task: Task, items: Iterable[Any]) -> None:
        for _ in self.pool.imap(task, items):
            pass
        self.wait()

    def close(self) -> None:
        self.wait()
