"""Memory that runs out: each allocation on a task's way fails once. It is refused, or its end is told."""

import pytest
from support import run_program

# Not every CPython is built with it.
pytest.importorskip("_testcapi")

PROGRAM = """
    import gc
    from _testcapi import remove_mem_hooks, set_nomemory
    from antspy import Pool

    ran, told = [], []
    pool = Pool(2, queue_size=None, exception_handler=told.append)

    def task(number, *, again=None):
        ran.append([number])  # allocates, and so may fail
        return [number]

    def attempt(number):
        {attempt}

    attempt(-1)
    pool.wait()
    ran.clear()
    gc.disable()  # or it would take the one allocation that fails
    refused = 0
    ROUNDS = 120
    for number in range(ROUNDS):
        known = len(told)
        set_nomemory(number, number + 1)
        try:
            ended = attempt(number)
        except MemoryError:
            ended = None
        finally:
            remove_mem_hooks()
        assert pool.wait(10), number
        times = ran.count([number])
        assert times <= 1, number
        if ended is None:
            refused += 1
        if times == 0:
            assert ended is None or len(told) > known or isinstance(ended.exception(5), MemoryError), number
    stats = pool.stats()
    assert stats.submitted == stats.completed + stats.failed + stats.cancelled, stats
    assert pool.submit(abs, -1).result(5) == 1
    assert refused + stats.failed > 0, "no allocation was hit"
    assert len(ran) > ROUNDS // 2, ran
"""


@pytest.mark.parametrize(
    "attempt",
    [
        "future = pool.submit(task, number, again=number); future.exception(5); return future",
        "pool.go(task, number, again=number); return pool.wait()",
        "return pool.options(name='named', deadline=60).submit(task, number)",
        "return list(pool.map(task, [number])) == [[number]]",
    ],
    ids=["submit", "go", "options", "map"],
)
def test_a_task_is_refused_or_its_end_is_told(attempt: str) -> None:
    run_program(PROGRAM.format(attempt=attempt))
