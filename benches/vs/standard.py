"""`concurrent.futures.ThreadPoolExecutor`."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from case import Case

from vs.peer import Peer, Task


class Standard(Peer):
    name = "ThreadPoolExecutor"
    tasks = 50_000
    result = staticmethod(Future.result)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.executor = ThreadPoolExecutor(case.capacity)
        self.go = self.submit = self.executor.submit
        self.wait = self.executor.shutdown

    def map(self, task: Task, items: Iterable[Any]) -> None:
        for _ in self.executor.map(task, items):
            pass
        self.wait()

    async def gather(self, task: Task, count: int) -> None:
        run, executor = asyncio.get_running_loop().run_in_executor, self.executor
        await asyncio.gather(*(run(executor, task) for _ in range(count)))
        self.wait()

    def close(self) -> None:
        self.executor.shutdown()
