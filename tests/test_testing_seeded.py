"""The seeded pool: an order that can be had again, and a clock that the test moves."""

import asyncio
import inspect
import random
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, as_completed, wait

import pytest
from antspy import Pool, PoolClosedError, WaitGroup
from antspy.settings import DEFAULTS, Settings
from antspy.testing import SeededPool, StuckError
from support import run_program

LETTERS = "abcdefgh"


def order(seed: int, capacity: int | None = None) -> str:
    ran: list[str] = []
    with SeededPool(capacity, seed=seed, queue_size=None) as pool:
        for letter in LETTERS:
            pool.go(ran.append, letter)
        assert not ran
    return "".join(ran)


def test_the_draw_is_the_documented_one() -> None:
    draws = random.Random(3)
    left, expected = list(LETTERS), ""
    while left:
        count = min(len(left), 3)
        expected += left.pop(int(draws.random() * count) if count > 1 else 0)
    assert order(3, capacity=3) == expected


def test_a_seed_gives_its_order_also_in_another_process() -> None:
    program = f"""
    from antspy.testing import SeededPool
    for seed in range(5):
        with SeededPool(4, seed=seed, queue_size=None) as pool:
            for letter in {LETTERS!r}:
                pool.go(print, letter, end="")
        print()
    """
    orders = [order(seed, capacity=4) for seed in range(5)]
    assert run_program(program).split() == orders
    assert len(set(orders)) > 1


def test_orders_are_those_of_a_real_pool() -> None:
    assert {order(seed, capacity=1) for seed in range(20)} == {LETTERS}
    for seed in range(50):
        for place, letter in enumerate(order(seed, capacity=2)):
            assert LETTERS.index(letter) <= place + 1  # one other task may run meanwhile


def test_all_orders_come() -> None:
    def run(seed: int) -> tuple[int, ...]:
        ran: list[int] = []
        with SeededPool(3, seed=seed) as pool:
            for number in range(3):
                pool.go(ran.append, number)
        return tuple(ran)

    assert len({run(seed) for seed in range(100)}) == 6


class Account:
    """A user's bug: two tasks check the balance before either withdraws."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.balance = 100

    def withdraw(self, amount: int) -> None:
        if self.balance >= amount:
            self.pool.go(self._pay, amount)  # and acts later

    def _pay(self, amount: int) -> None:
        self.balance -= amount


def balance(seed: int) -> int:
    with SeededPool(2, seed=seed, queue_size=8) as pool:
        account = Account(pool)
        pool.go(account.withdraw, 80)
        pool.go(account.withdraw, 80)
        assert pool.wait()
        return account.balance


def test_a_race_is_found_by_some_seeds_and_replayed() -> None:
    bad = [seed for seed in range(50) if balance(seed) < 0]
    assert 0 < len(bad) < 50
    for seed in bad:
        assert balance(seed) == -60


def test_whoever_waits_runs_tasks() -> None:
    with SeededPool(2, seed=1, queue_size=None) as pool:
        assert isinstance(pool, Pool)
        assert pool.submit(abs, -1).result() == 1
        assert list(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
        assert list(pool.subpool(1).map(abs, [-1, -2, -3])) == [1, 2, 3]
        futures = [pool.submit(abs, -number) for number in range(4)]
        assert {future.result() for future in as_completed(futures)} == {0, 1, 2, 3}
        assert not wait([pool.submit(abs, -number) for number in range(4)]).not_done
        group = WaitGroup(pool)
        group.go(int)
        assert group.count == 1
        assert group.wait()
        with pool.group() as tasks:
            for number in range(5):
                tasks.submit(abs, -number)
        assert tasks.results() == [0, 1, 2, 3, 4]
        subpool = pool.subpool(2)
        subpool.go(int)
        assert subpool.wait()
        assert pool.wait(timeout=1)
        assert pool.running == 0


def test_a_full_pool_runs_a_task_to_have_a_place() -> None:
    ran: list[int] = []
    with SeededPool(2, seed=0) as pool:
        for number in range(3):
            pool.go(ran.append, number)
        assert len(ran) == 1
        assert ran[0] in (0, 1)
        small = pool.subpool(1)
        for number in range(3, 6):
            small.go(ran.append, number)
    assert sorted(ran) == [0, 1, 2, 3, 4, 5]


def test_coroutines() -> None:
    async def main() -> None:
        async with SeededPool(2, seed=5) as pool:
            futures = [await pool.asubmit(abs, -number) for number in range(5)]
            assert [await future for future in futures] == [0, 1, 2, 3, 4]
            assert await pool.arun(abs, -1) == 1
            assert [result async for result in pool.amap(abs, [-1, -2, -3])] == [1, 2, 3]
            group = WaitGroup(pool)
            group.go(int)
            await group

    asyncio.run(main())


def test_nested_tasks() -> None:
    with SeededPool(1, seed=5) as pool:
        assert pool.submit(lambda: pool.submit(lambda: pool.submit(abs, -3).result()).result()).result() == 3


def test_one_after_the_other_by_hand() -> None:
    with SeededPool(seed=1) as pool:
        futures = [pool.submit(abs, -number) for number in range(3)]
        assert pool.run_one()
        assert sum(future.done() for future in futures) == 1
        assert pool.run_all() == 2
        assert not pool.run_one()


def test_a_deadline_follows_the_tests_clock() -> None:
    with SeededPool(1, seed=1) as pool:
        view = pool.options(deadline=10)
        in_time = view.submit(abs, -1)
        pool.advance(9.5)
        assert in_time.result() == 1
        late = view.submit(abs, -1)
        pool.advance(10.5)
        assert late.cancelled()
        with pytest.raises(CancelledError):
            late.result()
        assert pool.stats().cancelled == 1
        assert pool.queued == 0


def test_a_rate_moves_the_clock() -> None:
    with SeededPool(None, seed=1, rate=0.01) as pool:  # one in 100 s
        expires = pool.options(deadline=150).submit(abs, -1)
        for _ in range(3):
            pool.go(int)
        pool.run_all()
        assert expires.done()
        assert pool.stats().submitted == 4


def test_a_wait_that_nothing_can_end() -> None:
    with SeededPool(2, seed=7) as pool:
        group = WaitGroup(pool)
        group.go(int)
        group.add()
        assert not group.wait(timeout=3600)
        with pytest.raises(StuckError, match="seed=7"):
            group.wait()
        group.done()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("timeout", [None, 3600])
def test_a_wait_for_a_task_further_up(timeout: float | None) -> None:
    expected = StuckError if timeout is None else TimeoutError
    found: list[BaseException | None] = []

    def inner() -> None:
        found.append(raised(lambda: outer_future.result(timeout)))

    def outer() -> str:
        group = WaitGroup(pool)
        group.go(inner)
        assert group.wait()
        found.append(raised(lambda: outer_future.exception(timeout)))
        return "ended"

    with SeededPool(2, seed=1, queue_size=8) as pool:
        outer_future = pool.submit(outer)
        assert outer_future.result() == "ended"
    assert [type(error) for error in found] == [expected, expected]


@pytest.mark.timeout(20)
def test_a_wait_for_a_task_of_another_thread() -> None:
    begun, end = threading.Event(), threading.Event()

    def task() -> bool:
        begun.set()
        return end.wait()

    with SeededPool(2, seed=1) as pool:
        future = pool.submit(task)
        runner = threading.Thread(target=pool.run_one)
        runner.start()
        begun.wait()
        with pytest.raises(TimeoutError):
            future.result(0.01)
        end.set()
        assert future.result()
        runner.join()


def raised(call: Callable[[], object]) -> BaseException | None:
    try:
        call()
    except Exception as error:
        return error
    return None


def test_exceptions() -> None:
    seen: list[BaseException] = []
    with SeededPool(2, seed=1, exception_handler=seen.append) as pool:
        assert isinstance(pool.submit(int, "x").exception(), ValueError)
        pool.go(int, "y")
        pool.wait()
        assert len(seen) == 1


def test_the_end() -> None:
    pool = SeededPool(2, seed=1)
    future = pool.submit(abs, -1)
    pool.release()
    assert future.result() == 1
    with pytest.raises(PoolClosedError):
        pool.submit(int)
    pool.reboot()
    future = pool.submit(abs, -1)
    pool.shutdown(cancel_futures=True)
    assert future.cancelled()


def test_the_seed_is_told() -> None:
    with pytest.raises(ZeroDivisionError) as caught, SeededPool(2, seed=42):
        _ = 1 / 0
    assert caught.value.__notes__ == ["in the order of SeededPool(seed=42)"]
    with SeededPool(2) as drawn:
        assert str(drawn.seed) in repr(drawn)


@pytest.mark.parametrize("name", Settings.__annotations__)
def test_every_setting_of_a_pool_is_known(name: str) -> None:
    default = inspect.signature(Pool).parameters[name].default
    with SeededPool(1, seed=1, **{name: default}) as pool:
        assert pool.submit(int).result() == 0


def test_no_other_setting_is_known() -> None:
    assert DEFAULTS.keys() == Settings.__annotations__.keys()
    for name, default in DEFAULTS.items():
        assert default == inspect.signature(Pool).parameters[name].default
    with pytest.raises(TypeError, match="'capacty'"):
        SeededPool(1, seed=1, capacty=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("seed", ["1", 1.5, True])
def test_a_bad_seed_is_named(seed: object) -> None:
    with pytest.raises(TypeError, match="seed must be"):
        SeededPool(1, seed=seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_goes_on_only(seconds: float) -> None:
    with SeededPool(1, seed=1) as pool, pytest.raises(ValueError, match="seconds must be"):
        pool.advance(seconds)
