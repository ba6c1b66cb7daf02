"""Groups: failures beside submits, groups in groups, and what is left of them."""

import concurrent.futures
import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from antspy import Future, Group, MultiPool, Pool
from group_support import Failure, fail, fail_after, raises_group
from support import LIMIT, Gate, Thread, eventually


def test_a_task_submitted_while_another_fails_is_cancelled(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=None) as pool:

        class Slow:
            """The group fails after the pool has accepted the task, and before the group knows of it."""

            def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
                future = pool.submit(fn, *args, **kwargs)
                if fn == ran.append:
                    gate.open()
                    eventually(queued.cancelled)
                    assert not future.cancelled()
                return future

        with raises_group(Failure), Group(Slow()) as group:
            group.submit(fail_after, gate, Failure())
            gate.wait_entered()
            hold = Gate()
            pool.go(hold)  # keeps the only worker from what is cancelled below
            queued = group.submit(int)
            late = group.submit(ran.append, 1)
            cancelled = late.cancelled()
            hold.open()
            assert cancelled
    assert ran == []


def test_a_submit_that_the_end_of_the_block_overtakes_raises(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=None) as pool:

        class Slow:
            def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
                pool.go(hold)
                hold.wait_entered()
                future = pool.submit(fn, *args, **kwargs)
                gate()
                return future

        hold = Gate()
        with Group(Slow()) as group:
            stranger = Thread(group.submit, ran.append, 1)
            gate.wait_entered()
        gate.open()
        with pytest.raises(RuntimeError, match="ended"):
            stranger.result()
        hold.open()
    assert ran == []


def test_the_end_of_the_block_relies_on_no_callback_to_cancel_what_has_not_started() -> None:
    class Deaf(Future[Any]):
        def add_done_callback(self, fn: object) -> None:
            """Somebody who waits is woken before the callbacks run, and may be faster."""

    failed, other = Deaf(), Future[Any]()
    futures: list[Future[Any]] = [failed, other]

    class Fake:
        def submit(self, fn: object, /, *args: object, **kwargs: object) -> Future[Any]:
            return futures.pop(0)

    def block() -> None:
        with Group(Fake()) as group:
            group.submit(int)
            group.submit(int)

    failed.set_exception(Failure())
    with raises_group(Failure):
        Thread(block).result()
    assert other.cancelled()


@pytest.mark.timeout(30)
def test_no_task_is_left_behind_by_a_failure_among_many_submitters() -> None:
    def submit(group: Group, start: threading.Barrier) -> list[Future[None]]:
        start.wait(LIMIT)
        return [group.submit(time.sleep, 0.001) for _ in range(20)]

    with Pool(3, queue_size=None) as pool:
        for _ in range(50):
            start = threading.Barrier(5)
            with raises_group(Failure), Group(pool) as group:
                submitters = [Thread(submit, group, start) for _ in range(4)]
                start.wait(LIMIT)
                group.submit(fail, Failure())
                futures = [future for submitter in submitters for future in submitter.result()]
            assert len(futures) == 80
            assert all(future.done() for future in futures)


def test_a_task_may_open_a_group_on_the_same_pool() -> None:
    with Pool(None) as pool:

        def total(depth: int) -> int:
            if depth == 0:
                return 1
            with Group(pool) as group:
                for _ in range(3):
                    group.submit(total, depth - 1)
            return sum(group.results())

        with Group(pool) as group:
            group.submit(total, 3)
        assert group.results() == [27]


def test_a_block_may_be_in_a_block(gate: Gate) -> None:
    with Pool(2, queue_size=None) as pool:
        with raises_group(ExceptionGroup), Group(pool) as outer:
            running = outer.submit(gate, 1)
            gate.wait_entered()
            with raises_group(Failure), Group(pool) as inner:
                inner.submit(fail, Failure())
            assert not running.done()
            # A failure of one is none of the other, unless it leaves the inner block.
            assert outer.submit(abs, -1).result() == 1
            threading.Timer(0.02, gate.open).start()
            with Group(pool) as inner:
                inner.submit(fail, Failure())
        assert running.result(timeout=0) == 1


def test_a_multi_pool_has_groups_too() -> None:
    with MultiPool(2, 2) as multi, Group(multi) as group:
        for number in range(10):
            group.submit(abs, -number)
    assert group.results() == list(range(10))


def test_what_failed_is_released_with_the_exception_group() -> None:
    def task(group: Group) -> NoReturn:
        raise Failure(group)  # its traceback leads to the group

    def block() -> list[weakref.ref[BaseException]]:
        try:
            with Group(pool) as group:
                groups.append(group)
                concurrent.futures.wait([group.submit(task, group)], LIMIT)
                raise Failure(group)
        except ExceptionGroup as raised:
            return [weakref.ref(error) for error in raised.exceptions]

    groups: list[Group] = []
    gc.collect()
    gc.disable()
    try:
        with Pool(1) as pool:
            failures = block()
            assert len(failures) == 2
            eventually(lambda: [failure() for failure in failures] == [None, None])
    finally:
        gc.enable()
