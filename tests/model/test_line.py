"""The machine of `test_machine.py`, with coroutines.

Each task is handed in by `asubmit`, in a loop that the machine runs until it comes to rest. Where the other
pool refuses a task, at this one it stands in line.

Not here: deadlines of tasks that stand in line, for that time is the loop's and not the pool's; and the lines
of sub-pools, for a task comes from there into the pool's line when its loop does, at no moment of the pool's.
"""

import asyncio
from typing import Any

import hypothesis.strategies as st
import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError, SubPool
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test
from line_model import LineModel
from pool_model import SubPool as ModelSubPool
from pool_model import Task
from test_machine import SOAK, Gated, PoolMachine, capacities


class LineMachine(PoolMachine):
    """Calls a pool and its model in coroutines."""

    model: LineModel

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.submitting: dict[int, asyncio.Task[Any]] = {}
        """The coroutines that have not come back, by the numbers of their tasks."""

    @initialize(
        capacity=capacities,
        queue_size=st.sampled_from([0, 0, 1, 4]),
        max_blocking=st.sampled_from([None, None, 0, 5]),
        min_workers=st.integers(0, 2),
        tasks=st.integers(0, 12),
    )
    def make(
        self, capacity: int | None, queue_size: int, max_blocking: int | None, min_workers: int, tasks: int
    ) -> None:
        common: dict[str, Any] = {
            "queue_size": queue_size,
            "max_blocking": max_blocking,
            "min_workers": min_workers if capacity is None else min(min_workers, capacity),
            "expiry": 500.0,
            "prealloc": False,
        }
        self.model = LineModel(capacity, **common)
        self.pool = Pool(capacity, **common, exception_handler=self.handled.append)
        for _ in range(tasks):
            self._submit(self.pool, Task(len(self.all)), watched=False)

    @precondition(lambda self: self.submitting)
    @rule(data=st.data())
    def leave_the_line(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.submitting)), label="task")
        self.submitting.pop(number).cancel()
        self._turn()
        self.model.leave(self.all[number].task)

    @rule(count=st.integers(2, 30), lane=st.sampled_from(["high", "normal", "low"]))
    def line_up(self, count: int, lane: Any) -> None:
        for _ in range(count):
            self._submit(self.pool, Task(len(self.all), lane), watched=False)

    # These block threads, or have lines of their own.
    enter_group = submit_to_group = leave_group = None  # type: ignore[assignment]

    def teardown(self) -> None:
        super().teardown()
        self._turn()
        self.loop.close()

    def _target(self, data: st.DataObject) -> tuple[Pool | SubPool, ModelSubPool | None]:
        free: list[tuple[Pool | SubPool, ModelSubPool | None]] = [
            (real, model) for real, model in self.subpools if model.taken < model.limit
        ]
        targets = [(self.pool, None), *free]
        return targets[data.draw(st.integers(0, len(targets) - 1), label="pool or subpool")]

    def _submit(self, target: Any, task: Task, watched: bool) -> Gated:
        gated = Gated(task, watched)
        self.all.append(gated)
        self._unfinished.append(gated)
        if not self.model.has_place() or self.model.line.tasks():
            task.deadline = None
        expected = self.model.hand_in(task)
        submitting = self.loop.create_task(self._view(target, task).asubmit(gated.run, self.started))
        self.submitting[task.number] = submitting
        self._turn()
        if expected == "waiting":
            assert not submitting.done() or task.state != "waiting"
            return gated
        try:
            self._came_back(gated, submitting)
        except (PoolOverloadError, PoolClosedError) as error:
            self._agree(expected, "overload" if isinstance(error, PoolOverloadError) else "closed")
            return gated
        self._agree(expected, "accepted")
        return gated

    def _go(self, target: Any, task: Task) -> None:
        self._submit(target, task, watched=False)

    def _came_back(self, gated: Gated, submitting: "asyncio.Task[Any]") -> None:
        del self.submitting[gated.task.number]
        assert submitting.done()
        gated.future = submitting.result()
        if gated.watched:
            assert gated.future is not None
            gated.future.add_done_callback(gated.tell)

    def _turn(self) -> None:
        """Run the loop until nothing more is ready."""
        for _ in range(4):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def _numbers(self) -> dict[str, Any]:
        self._turn()
        for number, submitting in list(self.submitting.items()):
            if submitting.done():
                try:
                    self._came_back(self.all[number], submitting)
                except PoolClosedError:
                    assert self.all[number].task.state == "new"
        return {
            **super()._numbers(),
            "told": [gated.told for gated in self._watched()],
            "in line": sorted(self.submitting),
        }

    def _expected(self) -> dict[str, Any]:
        return {
            **super()._expected(),
            "told": [int(gated.task.state not in ("queued", "running")) for gated in self._watched()],
            "in line": sorted(task.number for task in self.model.line.tasks()),
        }

    def _watched(self) -> list[Gated]:
        """Those that have gone in, whether or not their coroutines know it."""
        return [it for it in self.all if it.watched and it.task.state not in ("new", "waiting")]


@pytest.mark.timeout(0 if SOAK else 400)
def test_the_pool_and_its_model_agree_about_the_line() -> None:
    run_state_machine_as_test(
        LineMachine,
        settings=settings(
            max_examples=SOAK or 200,
            stateful_step_count=100 if SOAK else 40,
            derandomize=not SOAK,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )
