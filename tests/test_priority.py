"""Lanes: the higher one goes first, and none starves.

The rule: the first of the highest lane that is not empty is next; but a lane that has been passed over
16 times in a row gives the next task.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from antspy import Pool
from antspy.view import Priority
from support import LIMIT, Gate, Thread, assert_settled, eventually

LANES: list[Priority] = ["high", "normal", "low"]
PATIENCE = 16


@contextmanager
def busy(pool: Pool) -> Iterator[None]:
    """Keep the only worker while tasks are queued."""
    gate = Gate()
    pool.go(gate)
    gate.wait_entered()
    yield
    gate.open()
    assert_settled(pool)


def test_queued_tasks_start_by_lane_and_in_order_within_one() -> None:
    order: list[tuple[str, int]] = []
    with Pool(1, queue_size=None) as pool:
        with busy(pool):
            for number in range(4):
                for priority in reversed(LANES):
                    pool.options(priority=priority).go(order.append, (priority, number))
        assert order == [(priority, number) for priority in LANES for number in range(4)]


def test_a_plain_submit_is_normal() -> None:
    order: list[str] = []
    with Pool(1, queue_size=None) as pool, busy(pool):
        pool.options(priority="low").submit(order.append, "low")
        pool.submit(order.append, "plain")
        pool.options(priority="normal").submit(order.append, "normal")
        pool.options(priority="high").submit(order.append, "high")
    assert order == ["high", "plain", "normal", "low"]


def test_tasks_with_a_deadline_keep_their_place_in_their_lane() -> None:
    order: list[int] = []
    with Pool(1, queue_size=None) as pool, busy(pool):
        for number in range(9):
            deadline = None if number % 2 else 1000 - number
            pool.options(priority=LANES[number // 3], deadline=deadline).go(order.append, number)
    assert order == list(range(9))


@pytest.mark.parametrize(("urgent", "patient"), [("high", "normal"), ("high", "low"), ("normal", "low")])
def test_a_lane_passed_over_16_times_gives_the_next(urgent: Priority, patient: Priority) -> None:
    order: list[str] = []
    with Pool(1, queue_size=None) as pool, busy(pool):
        for _ in range(3):
            pool.options(priority=patient).go(order.append, "patient")
        for _ in range(100):
            pool.options(priority=urgent).go(order.append, "urgent")
    assert [place for place, who in enumerate(order) if who == "patient"] == [16, 33, 50]


def test_with_all_lanes_full_each_gives_one_of_18() -> None:
    order: list[str] = []
    with Pool(1, queue_size=None) as pool, busy(pool):
        for priority in LANES:
            for _ in range(200):
                pool.options(priority=priority).go(order.append, priority)
    while_all_are_full = order[:200]
    for start in range(len(while_all_are_full) - PATIENCE - 1):
        assert set(while_all_are_full[start : start + PATIENCE + 2]) == set(LANES)
    assert while_all_are_full.count("high") > 170


def test_low_tasks_run_while_high_ones_keep_coming() -> None:
    # Each high task submits the next before it ends: there is always one in the queue.
    count = 0
    with Pool(1, queue_size=None) as pool:
        high = pool.options(priority="high")

        def again() -> None:
            nonlocal count
            count += 1
            if not low.done() and count < 1000:
                high.go(again)

        with busy(pool):
            low = pool.options(priority="low").submit(lambda: count)
            high.go(again)
        assert low.result(LIMIT) == PATIENCE


def test_blocked_submitters_go_on_by_lane_and_in_order_within_one() -> None:
    order: list[tuple[str, int]] = []
    threads: list[Thread] = []
    gate = Gate()
    with Pool(1) as pool:
        pool.go(gate)
        gate.wait_entered()
        for number in range(3):
            for priority in reversed(LANES):
                view = pool.options(priority=priority)
                threads.append(Thread(view.go, order.append, (priority, number)))
                eventually(lambda: pool.waiting == len(threads))
        gate.open()
        for thread in threads:
            thread.result()
        assert_settled(pool)
    assert order == [(priority, number) for priority in LANES for number in range(3)]


def test_a_blocked_submitter_of_a_low_task_does_not_starve() -> None:
    gate = Gate()
    order: list[str] = []
    with Pool(1) as pool:
        pool.go(gate)
        gate.wait_entered()
        threads = [Thread(pool.options(priority="low").go, order.append, "low")]
        eventually(lambda: pool.waiting == 1)
        for _ in range(20):
            threads.append(Thread(pool.options(priority="high").go, order.append, "high"))
            eventually(lambda: pool.waiting == len(threads))
        gate.open()
        for thread in threads:
            thread.result()
        assert_settled(pool)
    assert order.index("low") == PATIENCE


def test_a_cancelled_task_of_a_higher_lane_is_skipped() -> None:
    order: list[int] = []
    with Pool(1, queue_size=2) as pool, busy(pool):
        futures = [pool.options(priority="high").submit(order.append, 1)]
        futures.append(pool.options(priority="low").submit(order.append, 2))
        assert futures[0].cancel()
        futures.append(pool.submit(order.append, 3))
    assert order == [3, 2]


def test_sub_pools_and_maps_have_lanes() -> None:
    order: list[str] = []
    with Pool(1, queue_size=None) as pool, busy(pool):
        sub = pool.subpool(10)
        list_of_results = [
            sub.options(priority="low").map(order.append, ["low"]),
            sub.map(order.append, ["normal"]),
            sub.options(priority="high").map(order.append, ["high"]),
        ]
    assert [list(results) for results in list_of_results] == [[None]] * 3
    assert order == ["high", "normal", "low"]
