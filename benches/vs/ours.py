"""antspy itself."""

import asyncio
from collections.abc import Iterable
from typing import Any

import antspy
from case import Case

from vs.peer import Peer, Task


class Ours(Peer):
    name = "antspy"
    tasks = 200_000
    result = staticmethod(antspy.Future.result)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.pool = antspy.Pool(case.capacity, queue_size=case.queue_size)
        self.go = self.pool.go
        self.submit = self.pool.submit
        self.wait = self.pool.shutdown

    def map(self, task: Task, items: Iterable[Any]) -> None:
        for _ in self.pool.map(task, items):
            pass
        self.wait()

    def calls(self, function: Task, count: int) -> None:
        with antspy.PoolWithFunc(function, self.case.capacity, queue_size=self.case.queue_size) as pool:
            invoke = pool.invoke
            for number in range(count):
                invoke(number)

    async def gather(self, task: Task, count: int) -> None:
        async with self.pool as pool:
            await asyncio.gather(*(pool.arun(task) for _ in range(count)))

    def close(self) -> None:
        self.pool.shutdown()
