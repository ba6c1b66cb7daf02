"""gevent's pool of greenlets. They share one thread: a task that waits by other means holds up all.

So it applies where tasks do nothing, or sleep by `gevent.sleep`.
"""

from collections.abc import Iterable
from typing import Any

from case import Case

from vs.peer import Peer, Task


class Gevent(Peer):
    name = "gevent"
    library = "gevent"
    tasks = 50_000

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        import gevent.event
        import gevent.lock
        import gevent.pool

        self.pool = gevent.pool.Pool(case.capacity)
        self.go = self.submit = self.pool.spawn
        self.result = gevent.Greenlet.get
        self.wait = self.pool.join
        self.sleep = gevent.sleep
        self.event = gevent.event.Event
        self.lock = gevent.lock.BoundedSemaphore

    def map(self, task: Task, items: Iterable[Any]) -> None:
        for _ in self.pool.imap(task, items):
            pass
