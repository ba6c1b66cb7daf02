"""`map`: which way it goes, in what order, and who may use it."""

import contextvars
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from antspy import MultiPool, Pool, ThreadPoolExecutor
from antspy._antspy import _Map
from antspy.map import has_own_submit
from support import LIMIT, Gate, Program, Thread, assert_settled, eventually, run_program

Make = Callable[..., Any]


def close(results: Iterator[object]) -> None:
    results.close()  # type: ignore[attr-defined]


# The way it goes.


def test_no_future_is_made_unless_somebody_has_put_a_submit_in_its_place() -> None:
    with Pool(2) as pool, ThreadPoolExecutor(2) as executor, MultiPool(2, 2) as multi:
        for target in (pool, executor, pool.options(name="x"), pool.subpool(1), pool.subpool(1).options()):
            assert isinstance(target.map(abs, [-1]), _Map)
        replaced = Pool(1)
        replaced.submit = pool.submit  # type: ignore[method-assign]
        assert not has_own_submit(replaced)
        assert not has_own_submit(multi)
        assert_settled(pool)
        assert_settled(executor)


def test_a_submit_of_the_class_that_is_replaced_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    submit = Pool.submit

    def replaced(self: Pool, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        seen.extend(args)
        return submit(self, fn, *args, **kwargs)

    with Pool(2) as pool:
        monkeypatch.setattr(Pool, "submit", replaced)
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
        monkeypatch.undo()
        assert list(pool.map(abs, [-3])) == [3]
    assert seen == [-1, -2]


# Order.


@pytest.mark.parametrize("make", [Pool, ThreadPoolExecutor])
def test_results_that_come_in_the_opposite_order_wait_for_their_turn(make: Make, gates: list[Gate]) -> None:
    with make(4) as pool:
        results = pool.map(lambda number: gates[number](number), range(4))
        for done, number in enumerate((3, 2, 1), 1):
            gates[number].open()
            eventually(lambda: pool.stats().completed == done)  # noqa: B023  # called here
        waiting = Thread(next, results)
        gates[0].open()
        assert waiting.result() == 0
        assert list(results) == [1, 2, 3]


@pytest.mark.parametrize(("capacity", "queue_size"), [(1, 0), (2, 0), (8, 0), (8, None), (100, 0), (3, 50)])
def test_a_long_map_has_all_results_in_order(capacity: int, queue_size: int | None) -> None:
    with Pool(capacity, queue_size=queue_size) as pool:
        assert list(pool.map(pow, range(20_000), itertools.repeat(1))) == list(range(20_000))
        assert list(pool.map(lambda number: number, range(20_000))) == list(range(20_000))
        assert_settled(pool)
        assert pool.stats().completed == 40_000


def test_stop_iteration_of_a_task_is_not_the_end_of_the_results() -> None:
    with Pool(2) as pool, ThreadPoolExecutor(2) as executor:
        for target in (pool, executor):
            with pytest.raises(RuntimeError, match="raised StopIteration") as raised:
                list(target.map(next, [iter([1]), iter([])]))
            assert isinstance(raised.value.__cause__, StopIteration)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, LookupError])
def test_whatever_a_task_raises_comes_at_its_place(error: type[BaseException]) -> None:
    def task(number: int) -> int:
        if number == 2:
            raise error("its own")
        return number

    with Pool(3) as pool:
        results = pool.map(task, range(9))
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(error, match="its own"):
            next(results)
        assert list(results) == []
        assert_settled(pool)


def test_each_task_runs_in_a_copy_of_its_own_of_the_context() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    def task(number: int) -> int:
        before = variable.get()
        variable.set(before + number)
        return before

    with Pool(1) as pool:
        results = pool.map(task, itertools.count(1))
        assert [next(results), next(results)] == [0, 0]
        variable.set(7)
        assert next(results) == 0  # submitted before
        assert [next(results), next(results)] == [7, 7]
        close(results)


# Who uses it.


def test_one_thread_uses_it_at_a_time(gate: Gate) -> None:
    def numbers() -> Iterator[int]:
        yield from range(2)
        yield gate(2)

    with Pool(2) as pool:
        results = pool.map(abs, numbers())
        first = Thread(next, results)
        gate.wait_entered()
        for use in (next, close):
            with pytest.raises(ValueError, match=r"^map already executing$"):
                use(results)
        gate.open()
        assert first.result() == 0
        assert list(results) == [1, 2]


def test_many_threads_share_its_results() -> None:
    with Pool(4) as pool:
        results = pool.map(lambda number: number, range(1_000))
        seen: list[int] = []
        over = threading.Event()

        def take() -> None:
            while True:
                try:
                    seen.append(next(results))
                except StopIteration:
                    return over.set()
                except ValueError:  # another thread takes one just now
                    over.wait(0.001)

        threads = [Thread(take) for _ in range(4)]
        for thread in threads:
            thread.result()
        assert sorted(seen) == list(range(1_000))


def test_an_iterable_that_asks_the_map_itself_is_refused() -> None:
    results: list[Iterator[int]] = []

    def numbers() -> Iterator[int]:
        yield 0
        yield 1
        yield next(results[0])

    with Pool(1) as pool:
        results.append(pool.map(abs, numbers()))
        assert next(results[0]) == 0
        with pytest.raises(ValueError, match="map already executing"):
            next(results[0])
        assert_settled(pool)


def test_other_threads_run_while_a_map_takes_items_in_c() -> None:
    # Nothing here runs a bytecode but what lets others have their turn.
    turns = threading.Semaphore(0)
    over = threading.Event()

    def turn() -> None:
        while not over.is_set():
            turns.release()
            over.wait(0)

    with Pool(1, queue_size=None) as pool:
        pool.pause()
        other = Thread(turn)
        try:
            while turns.acquire(blocking=False):
                pass
            results = pool.map(abs, itertools.repeat(-1, 300_000))
            assert turns.acquire(blocking=False)
        finally:
            over.set()
            other.result()
        pool.resume()
        assert sum(results) == 300_000


def test_ctrl_c_ends_a_map_of_an_endless_iterable() -> None:
    program = Program("""
        import itertools
        from antspy import Pool
        pool = Pool(1, queue_size=None)
        pool.pause()
        try:
            print("maps", flush=True)
            pool.map(abs, itertools.repeat(-1))
        except KeyboardInterrupt:
            print("interrupted", pool.queued)
    """)
    program.wait_line("maps")
    program.interrupt()
    assert program.end() == (0, "interrupted 0\n", "")


def test_a_map_that_is_left_at_the_programs_end_harms_nothing() -> None:
    assert run_program("""
        import itertools
        from antspy import Pool, ThreadPoolExecutor
        pools = Pool(2), Pool(2, queue_size=5), ThreadPoolExecutor(2, queue_size=3)
        left = [pool.map(abs, itertools.count()) for pool in pools]
        print([next(results) for results in left])
        print(next(Pool(1).map(print, ["ran"])))
    """) in {"[0, 0, 0]\nran\nNone\n"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_map_goes_on_in_a_forked_child_with_what_had_ended() -> None:
    out = run_program(
        """
        import itertools, os, threading
        from antspy import Pool, PoolError
        gate = threading.Event()
        pool = Pool(2)
        done = pool.map(abs, itertools.count())
        assert next(done) == 0
        pool.wait()
        many = Pool(1, queue_size=None)
        long = many.map(abs, range(1_000))
        many.wait()
        held = Pool(1, queue_size=3).map(lambda number: number and gate.wait(20), range(4))
        assert next(held) == 0
        child = os.fork()
        if child == 0:
            print([next(done) for _ in range(50)] == list(range(1, 51)), sum(long))
            try:
                next(held)
            except PoolError as error:
                print("fork" in str(error), list(held), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        gate.set()
        print(next(done), list(held))
        """,
        "-W",
        "ignore::DeprecationWarning",
    )
    assert out == "True 499500\nTrue []\n1 [True, True, True]\n"


# In a task of the same pool.


@pytest.mark.parametrize("make", [Pool, ThreadPoolExecutor])
@pytest.mark.parametrize("queue_size", [0, 3, None])
def test_a_task_maps_on_its_own_pool_of_one(make: Make, queue_size: int | None) -> None:
    with make(1, queue_size=queue_size) as pool:

        def outer() -> tuple[list[int], list[int], list[int]]:
            named = pool.options(name="inner", priority="low").map(abs, range(-10, 0))
            late = pool.options(deadline=1000).map(abs, range(-5, 0), timeout=LIMIT)
            return list(pool.map(abs, range(-20, 0))), list(named), list(late)

        everything = list(range(20, 0, -1))
        assert pool.submit(outer).result(LIMIT) == (everything, everything[10:], everything[15:])
        assert_settled(pool)


def test_maps_nest() -> None:
    with Pool(2, queue_size=4) as pool:

        def total(depth: int) -> int:
            return 1 + sum(pool.map(total, [depth - 1] * 3)) if depth else 1

        assert pool.submit(total, 5).result(LIMIT) == (3**6 - 1) // 2
        assert_settled(pool)
