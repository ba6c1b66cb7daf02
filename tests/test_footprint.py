"""The part of the soak that looks for leaks finds the smallest one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from part import Account
from parts import leaks, uses

pytestmark = pytest.mark.skipif(leaks.missing() is not None, reason="reads what Linux shows of memory")


@pytest.mark.parametrize(
    ("leaked", "found"),
    [
        (lambda: None, []),
        (object, ["blocks"]),  # 16 bytes: the smallest that there is
        (lambda: bytearray(1000), ["allocated", "blocks"]),
    ],
)
def test_one_leaked_object_a_round_is_found(leaked: Callable[[], object], found: list[str]) -> None:
    kept: list[Any] = [None] * 10_000  # its own growth is not to be measured

    @contextmanager
    def leaking(_: Account) -> Iterator[uses.Repeat]:
        numbers = iter(range(len(kept)))

        def repeat(rounds: int) -> None:
            for _ in range(rounds):
                kept[next(numbers)] = leaked()

        yield repeat

    account = Account()
    leaks.measure(leaks.Use("leaking", 0, leaking), 1_000, account)
    assert [
        what for problem in account.problems for what in ("allocated", "blocks") if what in problem
    ] == found
