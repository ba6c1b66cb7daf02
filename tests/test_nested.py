"""Tasks that submit to their own pool, and wait for what they submitted."""

import sys
import threading
from concurrent.futures import Future
from functools import partial

import pytest
from antspy import Pool, WaitGroup
from support import LIMIT, Gate, Program, assert_settled, eventually

QUEUES = pytest.mark.parametrize("queue_size", [0, 5, None])


@QUEUES
def test_a_task_waits_for_a_task_of_its_own_pool_of_one(queue_size: int | None) -> None:
    with Pool(1, queue_size=queue_size) as pool:

        def outer() -> int:
            futures = [pool.submit(abs, -number) for number in range(10)]
            return sum(future.result(LIMIT) for future in reversed(futures))

        assert pool.submit(outer).result(LIMIT) == 45
        assert_settled(pool)
        assert (pool.stats().submitted, pool.stats().workers_started) == (11, 1)


@QUEUES
def test_tasks_nest_as_deep_as_calls(queue_size: int | None) -> None:
    depth = 100

    with Pool(1, queue_size=queue_size) as pool:

        def down(left: int) -> int:
            return 1 + pool.submit(down, left - 1).result(LIMIT) if left else 0

        assert pool.submit(down, depth).result(LIMIT) == depth
        assert_settled(pool)


@QUEUES
def test_tasks_without_an_end_raise_recursion_error(queue_size: int | None) -> None:
    deepest = 0

    with Pool(1, queue_size=queue_size) as pool:

        def down(level: int) -> None:
            nonlocal deepest
            deepest = max(deepest, level)
            pool.submit(down, level + 1).result(LIMIT)

        assert isinstance(pool.submit(down, 1).exception(LIMIT), RecursionError)
        assert deepest > sys.getrecursionlimit() / 4
        assert pool.submit(abs, -1).result(LIMIT) == 1
        assert_settled(pool)


@pytest.mark.parametrize(
    ("settings", "nest"),
    [
        ("queue_size=0", "pool.submit(down).result()"),
        ("queue_size=None", "pool.submit(down).result()"),
        ("queue_size=0", "pool.go(down)"),
        ("overflow='caller_runs'", "pool.submit(down).result()"),
        ("queue_size=None", "group = WaitGroup(pool); group.go(down); group.wait()"),
        ("queue_size=0", "sub.submit(down).result()"),
    ],
)
def test_the_stack_holds_also_without_a_recursion_limit(settings: str, nest: str) -> None:
    # From 3.12 on there is a limit for calls through C: there may be no room to tell a handler, or the log;
    # then it is said on stderr.
    program = Program(
        f"""
        import logging, sys
        from antspy import Pool, WaitGroup

        logging.disable()
        sys.setrecursionlimit(10**6)
        pool = Pool(1, {settings})
        sub = pool.subpool(1)

        def down():
            {nest}

        pool.submit(down).exception()
        pool.shutdown()
        assert pool.stats().failed
        """
    )
    code, _, err = program.end()
    assert code == 0, err
    if sys.version_info < (3, 12):
        assert err == ""


def fib(pool: Pool, number: int) -> int:
    if number < 2:
        return number
    left, right = (pool.submit(fib, pool, number - less) for less in (1, 2))
    return left.result(LIMIT) + right.result(LIMIT)


@pytest.mark.parametrize(("capacity", "queue_size"), [(1, 0), (2, 0), (2, 3), (2, None), (4, 100)])
def test_divide_and_conquer_with_no_more_workers_than_capacity(capacity: int, queue_size: int | None) -> None:
    with Pool(capacity, queue_size=queue_size, expiry=None) as pool:
        assert pool.submit(fib, pool, 14).result(LIMIT) == 377
        assert_settled(pool)
        assert pool.stats().workers_started <= capacity
        assert pool.stats().completed == 1219


@QUEUES
def test_never_more_tasks_in_progress_than_workers_and_those_they_wait_for(queue_size: int | None) -> None:
    lock = threading.Lock()
    depths: dict[int, int] = {}
    most = 0

    with Pool(3, queue_size=queue_size) as pool:

        def tree(depth: int) -> int:
            nonlocal most
            with lock:
                ident = threading.get_ident()
                depths[ident] = depths.get(ident, 0) + 1
                most = max(most, sum(value > 0 for value in depths.values()))
            try:
                futures = [pool.submit(tree, depth - 1) for _ in range(3)] if depth else []
                return 1 + sum(future.result(LIMIT) for future in futures)
            finally:
                with lock:
                    depths[ident] -= 1

        assert pool.submit(tree, 6).result(LIMIT) == (3**7 - 1) / 2
        assert_settled(pool)
    assert 1 <= most <= 3


def test_go_in_a_full_pool_runs_the_task_in_the_one_that_calls_it() -> None:
    order: list[object] = []
    errors: list[BaseException] = []

    with Pool(1, exception_handler=errors.append) as pool:

        def outer() -> None:
            pool.go(order.append, threading.get_ident())
            pool.go(int, "no number")
            order.append(threading.get_ident())

        ident = pool.submit(threading.get_ident).result()
        pool.submit(outer).result(LIMIT)
        assert order == [ident, ident]
        assert [type(error) for error in errors] == [ValueError]
        assert_settled(pool)
        assert pool.stats().failed == 1


@QUEUES
@pytest.mark.parametrize("chunksize", [1, 3])
def test_map_in_a_task_of_the_same_pool(queue_size: int | None, chunksize: int) -> None:
    with Pool(1, queue_size=queue_size) as pool:

        def outer() -> list[int]:
            return list(pool.map(abs, range(-20, 0), chunksize=chunksize))

        assert pool.submit(outer).result(LIMIT) == list(range(20, 0, -1))
        assert_settled(pool)


@QUEUES
def test_a_group_in_a_task_of_the_same_pool_three_deep(queue_size: int | None) -> None:
    with Pool(1, queue_size=queue_size) as pool:

        def tree(depth: int) -> int:
            with pool.group() as group:
                for _ in range(3 if depth else 0):
                    group.submit(tree, depth - 1)
            results: list[int] = group.results()
            return 1 + sum(results)

        assert pool.submit(tree, 3).result(LIMIT) == 40
        assert_settled(pool)


@QUEUES
def test_a_wait_group_in_a_task_of_the_same_pool(queue_size: int | None) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=queue_size) as pool:

        def outer() -> bool:
            group = WaitGroup(pool)
            for number in range(5):
                group.go(ran.append, number)
            return group.wait(LIMIT)

        assert pool.submit(outer).result(LIMIT)
        assert ran == list(range(5))
        assert_settled(pool)


@pytest.mark.parametrize("started", [True, False])
def test_a_worker_that_waits_for_a_wait_group_runs_what_others_add(started: bool) -> None:
    # Whether the group has ever been told where its jobs run, before the wait begins.
    ran: list[int] = []
    waits = threading.Event()
    with Pool(1, queue_size=10) as pool:
        group = WaitGroup(pool)
        group.add()

        def outer() -> bool:
            if started:
                group.go(ran.append, -1)
            waits.set()
            return group.wait(LIMIT / 4)

        future = pool.submit(outer)
        assert waits.wait(LIMIT)
        for number in range(5):
            group.go(ran.append, number)
            eventually(partial(ran.__contains__, number), limit=LIMIT / 4)
        group.done()
        assert future.result(LIMIT)
        assert ran == [*([-1] if started else []), *range(5)]
        assert_settled(pool)


def test_jobs_of_other_groups_are_not_run_by_who_waits() -> None:
    ran: list[str] = []
    with Pool(1, queue_size=10) as pool:

        def outer() -> list[str]:
            mine, other = WaitGroup(pool), WaitGroup(pool)
            other.go(ran.append, "other")
            pool.go(ran.append, "nobody's")
            mine.go(ran.append, "mine")
            mine.wait()
            return ran.copy()

        assert pool.submit(outer).result(LIMIT) == ["mine"]
        assert_settled(pool)
    assert ran == ["mine", "other", "nobody's"]


def test_a_task_that_runs_elsewhere_is_waited_for(gate: Gate) -> None:
    runs: list[int] = []

    def inner() -> int:
        runs.append(threading.get_ident())
        gate()
        return threading.get_ident()

    with Pool(2) as pool:
        future = pool.submit(inner)
        gate.wait_entered()
        outer = pool.submit(lambda: (threading.get_ident(), future.result(LIMIT)))
        eventually(lambda: pool.stats().started == 2)
        gate.open()
        mine, its = outer.result(LIMIT)
        assert mine != its
        assert runs == [its]
        assert_settled(pool)


def test_a_task_wanted_by_many_workers_runs_once() -> None:
    runs: list[int] = []
    with Pool(4, queue_size=None) as pool:
        for round_ in range(300):
            wanted: list[Future[None]] = []
            listed = threading.Event()

            def want(wanted: list[Future[None]] = wanted, listed: threading.Event = listed) -> None:
                assert listed.wait(LIMIT)
                wanted[0].result(LIMIT)

            wanters = [pool.submit(want) for _ in range(4)]
            wanted.append(pool.submit(runs.append, round_))
            listed.set()
            for wanter in wanters:
                wanter.result(LIMIT)
        assert_settled(pool)
    assert sorted(runs) == list(range(300))
