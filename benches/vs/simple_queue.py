"""The floor of all pools in Python: a `queue.SimpleQueue`, and threads that call what they get from it.

No bound, no future, no way to fail. Results come by a second queue, in whatever order.
"""

import threading
from queue import SimpleQueue
from typing import Any

from case import Case

from vs.peer import Peer, Task

ENOUGH = 8
"""Threads for tasks that never wait: more of them do not help."""


class BareQueue(Peer):
    name = "SimpleQueue and threads"
    tasks = 200_000

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.tasks_in: SimpleQueue[Task | None] = SimpleQueue()
        self.results_out: SimpleQueue[Any] = SimpleQueue()
        self.go = self.tasks_in.put
        self.threads = [threading.Thread(target=self.work) for _ in range(case.capacity)]
        for thread in self.threads:
            thread.start()

    def work(self) -> None:
        for task in iter(self.tasks_in.get, None):
            task()

    def answer(self, task: Task) -> None:
        self.results_out.put(task())

    def submit(self, task: Task) -> None:
        self.tasks_in.put(lambda: self.answer(task))

    def result(self, handle: None) -> Any:
        return self.results_out.get()

    def calls(self, function: Task, count: int) -> None:
        numbers: SimpleQueue[int | None] = SimpleQueue()

        def call() -> None:
            for number in iter(numbers.get, None):
                function(number)

        for _ in self.threads:
            self.go(call)
        for number in range(count):
            numbers.put(number)
        for _ in self.threads:
            numbers.put(None)
        self.wait()

    def wait(self) -> None:
        for _ in self.threads:
            self.tasks_in.put(None)
        for thread in self.threads:
            thread.join()
        self.threads.clear()

    def close(self) -> None:
        self.wait()
