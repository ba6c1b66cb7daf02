"""Several pools as one: waiting for them, open, released, closed, open again."""

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import antspy.multi_pool
import pytest
from antspy import MultiPool, Pool, PoolClosedError
from multi_pool_support import occupy, place
from support import LIMIT, Gate, Thread, eventually, threads


def test_wait_waits_for_all_pools_and_leaves_them_open(gate: Gate) -> None:
    with MultiPool(2, 2) as multi:
        assert multi.wait() is True
        last = multi.pools[1].submit(gate, 1)
        assert multi.wait(timeout=0) is False
        assert multi.wait(timeout=0.02) is False
        waiting = Thread(multi.wait)
        gate.open()
        assert waiting.result() is True
        assert last.done()
        assert multi.wait(timeout=LIMIT) is True
        assert not multi.closed


@pytest.mark.parametrize("call", ["wait", "release"])
def test_there_is_one_deadline_for_all_pools(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def wait(timeout: float = 0) -> bool:
        if timeout:
            seen.append(timeout)
            time.sleep(0.02)
        return True

    with MultiPool(3, 1) as multi, monkeypatch.context() as patch:
        for pool in multi.pools:
            patch.setattr(pool, call, wait)
        getattr(multi, call)(timeout=30)
    assert seen[0] <= 30
    assert seen[1] <= seen[0] - 0.02
    assert seen[2] <= seen[1] - 0.02


def test_wait_waits_for_what_tasks_submit_to_a_pool_already_looked_at(gate: Gate) -> None:
    second = Gate()
    ended = threading.Event()
    with MultiPool(2, 1) as multi:

        def last() -> None:
            second()
            ended.set()

        def first() -> None:
            gate()
            multi.pools[0].go(last)

        multi.pools[1].go(first)
        gate.wait_entered()
        waiting = Thread(lambda: (multi.wait(), ended.is_set()))
        time.sleep(0.02)
        gate.open()
        second.wait_entered()
        time.sleep(0.02)
        second.open()
        assert waiting.result() == (True, True)


def test_a_task_that_would_wait_for_itself_is_told_so() -> None:
    with MultiPool(2, 1) as multi, pytest.raises(RuntimeError, match="itself"):
        multi.submit(multi.wait).result(timeout=LIMIT)


@pytest.mark.parametrize("call", ["wait", "release"])
@pytest.mark.parametrize(
    ("timeout", "error"), [("3", TypeError), (-1, ValueError), (float("nan"), ValueError)]
)
def test_a_bad_timeout_is_refused_and_nothing_is_done(
    call: str, timeout: Any, error: type[Exception]
) -> None:
    with MultiPool(2, 1) as multi:
        with pytest.raises(error, match=f"^timeout must be .*{timeout!r}"):
            getattr(multi, call)(timeout)
        assert not any(pool.closed for pool in multi.pools)


def test_release_closes_all_pools_and_runs_what_was_accepted(gate: Gate) -> None:
    multi = MultiPool(2, 1, queue_size=1)
    futures = [multi.submit(gate, number) for number in range(4)]
    blocked = [Thread(multi.go, gate) for _ in range(2)]
    eventually(lambda: multi.waiting == 2)
    multi.release()
    assert multi.closed
    for thread in blocked:
        with pytest.raises(PoolClosedError):
            thread.result()
    with pytest.raises(PoolClosedError):
        multi.submit(gate)
    with pytest.raises(PoolClosedError):
        multi.go(gate)
    gate.open()
    assert [future.result() for future in futures] == list(range(4))
    multi.release(timeout=LIMIT)
    assert multi.running == 0


def test_it_is_closed_when_all_pools_are() -> None:
    multi = MultiPool(2, 1)
    for pool in multi.pools:
        assert not multi.closed
        pool.release()
    assert multi.closed


def test_a_release_that_is_late_may_be_called_again(gate: Gate) -> None:
    multi = MultiPool(3, 1)
    for _ in range(3):
        multi.go(gate)
    for timeout in (0.02, 0.03):
        with pytest.raises(TimeoutError, match=rf"3 workers after {timeout} s; .* again"):
            multi.release(timeout=timeout)
        assert all(pool.closed for pool in multi.pools)
    multi.release(timeout=0)
    gate.open()
    multi.release(timeout=None)
    assert multi.running == 0
    multi.release(timeout=LIMIT)


def test_release_notices_workers_of_a_pool_that_it_has_no_time_left_for(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    multi = MultiPool(2, 1)
    occupy(multi.pools[1], gate, 1)
    release = multi.pools[0].release

    def slow_release(timeout: float = 0) -> None:
        release(timeout)
        time.sleep(timeout)

    with monkeypatch.context() as patch:
        patch.setattr(multi.pools[0], "release", slow_release)
        with pytest.raises(TimeoutError):
            multi.release(timeout=0.02)
    gate.open()
    multi.release(timeout=None)


@pytest.mark.parametrize(("call", "argument"), [("release", None), ("shutdown", True)])
def test_all_pools_are_closed_before_one_is_waited_for(call: str, argument: object, gate: Gate) -> None:
    multi = MultiPool(2, 1)
    occupy(multi.pools[0], gate, 1)
    closing = Thread(getattr(multi, call), argument)
    eventually(lambda: multi.pools[1].closed)
    assert multi.pools[0].closed
    assert closing.is_alive()
    gate.open()
    closing.result()
    assert multi.running == 0


def test_reboot_opens_the_closed_pools_again_with_the_same_settings(gate: Gate) -> None:
    multi = MultiPool(2, 2, overflow="raise", thread_name_prefix="ant")
    multi.tune(1)
    multi.release()
    multi.reboot()
    assert not multi.closed
    assert [pool.capacity for pool in multi.pools] == [1, 1]
    assert sorted(future.result() for future in [multi.submit(place) for _ in range(2)]) == ["ant-0", "ant-1"]
    occupy(multi.pools[0], gate, 1)
    multi.pools[1].release(timeout=LIMIT)
    multi.reboot()  # waits for no worker of an open pool
    assert multi.pools[1].submit(abs, -1).result() == 1
    gate.open()
    multi.shutdown()


def test_a_reboot_that_fails_leaves_closed_what_was_closed_and_may_be_called_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    multi = MultiPool(4, 1)
    for number in (1, 2, 3):
        multi.pools[number].release()

    def fail() -> None:
        assert not multi.pools[1].closed
        raise RuntimeError("no thread")

    with monkeypatch.context() as patch:
        patch.setattr(multi.pools[2], "reboot", fail)
        with pytest.raises(RuntimeError, match="no thread"):
            multi.reboot()
    assert [pool.closed for pool in multi.pools] == [False, True, True, True]
    multi.reboot()
    assert not any(pool.closed for pool in multi.pools)
    multi.shutdown()


def test_shutdown_with_cancel_futures_cancels_what_has_not_started(gate: Gate) -> None:
    multi = MultiPool(2, 1, queue_size=2)
    futures = [multi.submit(gate, number) for number in range(6)]
    gate.wait_entered(2)
    closing = Thread(multi.shutdown, cancel_futures=True)
    # Of all pools, before the first is waited for.
    eventually(lambda: all(future.cancelled() for future in futures[2:]))
    gate.open()
    closing.result()
    assert [future.result() for future in futures[:2]] == [0, 1]


def test_shutdown_closes_all_pools_before_it_cancels_anything(gate: Gate) -> None:
    refused: list[BaseException] = []
    multi = MultiPool(2, 1, queue_size=1)

    def resubmit(future: object) -> None:
        try:
            multi.pools[1].go(int)
        except PoolClosedError as error:
            refused.append(error)

    occupy(multi.pools[0], gate, 1)
    multi.pools[0].submit(int).add_done_callback(resubmit)
    multi.shutdown(wait=False, cancel_futures=True)
    assert len(refused) == 1
    gate.open()
    multi.shutdown()


def test_shutdown_without_wait_returns_at_once(gate: Gate) -> None:
    multi = MultiPool(2, 1)
    futures = [multi.submit(gate, number) for number in range(2)]
    gate.wait_entered(2)
    multi.shutdown(wait=False)
    assert multi.closed
    assert not any(future.done() for future in futures)
    gate.open()
    assert [future.result() for future in futures] == [0, 1]


def test_with_waits_for_what_was_accepted_and_closes_all_pools() -> None:
    with MultiPool(2, 1, queue_size=None) as multi:
        futures = [multi.submit(time.sleep, 0.005) for _ in range(10)]
    assert all(future.done() for future in futures)
    assert multi.closed
    assert multi.running == 0


def test_run_in_executor_takes_it() -> None:
    async def main(multi: MultiPool) -> int:
        return await asyncio.get_running_loop().run_in_executor(multi, abs, -3)

    with MultiPool(2, 1) as multi:
        assert asyncio.run(main(multi)) == 3


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_if_one_pool_cannot_be_made_the_others_are_released(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = threads()
    made: list[Pool] = []

    def make(capacity: int | None, **settings: Any) -> Pool:
        if len(made) == 2:
            raise error("no thread")
        made.append(Pool(capacity, **settings))
        return made[-1]

    monkeypatch.setattr(antspy.multi_pool, "Pool", make)
    with pytest.raises(error, match="no thread"):
        MultiPool(3, 2, prealloc=True)
    assert [pool.closed for pool in made] == [True, True]
    eventually(lambda: threads() == before)


def test_repr_tells_what_it_is() -> None:
    multi = MultiPool(2, 3, "least_tasks")
    assert repr(multi) == "<MultiPool open size=2 strategy=least_tasks capacity=6 running=0>"
    multi.submit(int).result()
    assert repr(multi) == "<MultiPool open size=2 strategy=least_tasks capacity=6 running=1>"
    multi.shutdown()
    assert repr(multi) == "<MultiPool closed size=2 strategy=least_tasks capacity=6 running=0>"


def test_dropping_the_last_reference_lets_all_pools_shut_down() -> None:
    before = threads()
    gc.disable()  # nor does it take the garbage collector
    try:
        multi = MultiPool(2, 2, expiry=None, prealloc=True)
        assert threads() == before + 4
        gone = weakref.ref(multi)
        del multi
        assert gone() is None
        eventually(lambda: threads() == before)
    finally:
        gc.enable()


def test_what_is_cancelled_at_the_end_of_a_pause_does_not_start() -> None:
    ran: list[int] = []
    multi = MultiPool(2, 1, queue_size=10)
    multi.pause()
    futures = [multi.submit(ran.append, number) for number in range(6)]
    futures[0].add_done_callback(lambda _: time.sleep(0.02))  # lets the other pool's workers go on
    multi.shutdown(cancel_futures=True)
    assert ran == []
    assert all(future.cancelled() for future in futures)
