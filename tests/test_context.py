"""Each task runs in a copy of its submitter's context (`contextvars`)."""

import asyncio
import contextvars
import decimal
import weakref
from contextvars import ContextVar
from typing import Any

import pytest
from antspy import Pool, PoolWithFunc, WaitGroup
from support import Gate

variable: ContextVar[Any] = ContextVar("variable", default="default")


class Thing:
    pass


def in_context(call: Any) -> None:
    contextvars.copy_context().run(call)


def test_a_task_sees_what_its_submitter_had_set() -> None:
    def test() -> None:
        seen: list[str] = []
        with Pool(2) as pool, PoolWithFunc(variable.get, 1) as one:
            variable.set("mine")
            assert pool.submit(variable.get).result() == "mine"
            assert list(pool.map(lambda _: variable.get(), range(3))) == ["mine"] * 3
            assert one.submit().result() == "mine"
            pool.go(lambda: seen.append(variable.get()))
            group = WaitGroup(pool)
            group.go(lambda: seen.append(variable.get()))
            assert group.wait(timeout=10)
            assert pool.wait(timeout=10)
            assert seen == ["mine"] * 2

    in_context(test)
    assert variable.get() == "default"


def test_the_context_is_that_of_the_submit_not_of_the_run(gate: Gate) -> None:
    def test() -> None:
        with Pool(1, queue_size=5) as pool:
            pool.go(gate)
            gate.wait_entered()
            variable.set("before")
            future = pool.submit(variable.get)
            variable.set("after")
            gate.open()
            assert future.result() == "before"

    in_context(test)


def test_what_a_task_sets_stays_its_own() -> None:
    with Pool(1) as pool:
        pool.submit(variable.set, "the task's").result()
        assert variable.get() == "default"
        assert pool.submit(variable.get).result() == "default"


def test_a_task_the_caller_runs_has_a_copy_too(gate: Gate) -> None:
    with Pool(1, overflow="caller_runs") as pool:
        pool.go(gate)
        gate.wait_entered()
        pool.submit(variable.set, "the task's").result()
        assert variable.get() == "default"
        gate.open()


def test_a_task_that_leaves_a_context_entered_harms_nobody() -> None:
    def task() -> None:
        variable.set("left")
        raise LookupError

    with Pool(1, exception_handler=lambda error: None) as pool:
        pool.go(task)
        pool.submit(task)
        assert pool.submit(variable.get).result() == "default"


def test_a_task_may_use_contexts_itself() -> None:
    def task() -> list[str]:
        inner = contextvars.copy_context()
        inner.run(variable.set, "inner")
        return [inner[variable], variable.get()]

    with Pool(1) as pool:
        assert pool.submit(task).result() == ["inner", "default"]


def test_the_exception_handler_runs_in_the_tasks_context() -> None:
    seen: list[str] = []

    def test() -> None:
        variable.set("mine")
        with Pool(1, exception_handler=lambda error: seen.append(variable.get())) as pool:
            pool.go(divmod, 1, 0)

    in_context(test)
    assert seen == ["mine"]


def test_the_decimal_context_goes_with_the_task() -> None:
    with decimal.localcontext() as context, Pool(1) as pool:
        context.prec = 3
        assert str(pool.submit(lambda: decimal.Decimal(1) / 3).result()) == "0.333"


def test_coroutines_hand_their_own_contexts_on() -> None:
    async def main(pool: Pool) -> list[str]:
        async def one(value: str) -> str:
            variable.set(value)
            await asyncio.sleep(0)
            result: str = await pool.submit(variable.get)
            return result

        return await asyncio.gather(*(one(str(number)) for number in range(20)))

    with Pool(4, queue_size=None) as pool:
        assert asyncio.run(main(pool)) == [str(number) for number in range(20)]


@pytest.mark.parametrize("how", ["go", "submit"])
def test_the_context_is_dropped_with_the_task(how: str) -> None:
    gone: list[weakref.ref[Thing]] = []
    with Pool(1) as pool:

        def test() -> None:
            thing = Thing()
            gone.append(weakref.ref(thing))
            variable.set(thing)
            if how == "go":
                pool.go(int)
            else:
                pool.submit(int).result()

        in_context(test)
        assert pool.wait(timeout=10)
        assert gone[0]() is None
