"""No pool: a thread for each task."""

import threading
from typing import Any

from case import Case

from vs.peer import Peer, Task


class Threads(Peer):
    name = "a thread a task"
    tasks = 2_000

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.threads: list[threading.Thread] = []

    def submit(self, task: Task, *args: Any) -> threading.Thread:
        thread = threading.Thread(target=task, args=args)
        thread.start()
        return thread

    def go(self, task: Task, *args: Any) -> None:
        self.threads.append(self.submit(task, *args))

    @staticmethod
    def result(thread: threading.Thread) -> None:
        thread.join()

    def wait(self) -> None:
        for thread in self.threads:
            thread.join()
        self.threads.clear()

    def close(self) -> None:
        self.wait()
