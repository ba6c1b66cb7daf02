"""joblib's threading backend. It hands over no task alone, only many at once."""

from collections.abc import Iterable
from itertools import repeat
from typing import Any

from vs.peer import Peer, Task


class Joblib(Peer):
    name = "joblib, threading"
    library = "joblib"

    def results(self, task: Task, count: int) -> None:
        self.all(task, repeat((), count))

    def map(self, task: Task, items: Iterable[Any]) -> None:
        self.all(task, ((item,) for item in items))

    def all(self, task: Task, arguments: Iterable[tuple[Any, ...]]) -> None:
        from joblib import Parallel, delayed

        call = delayed(task)
        Parallel(n_jobs=self.case.capacity, backend="threading")(call(*each) for each in arguments)
