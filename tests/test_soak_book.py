"""The account that the soak keeps: it notices what it is there for."""

from concurrent.futures import wait

import pytest
from antspy import Pool, Stats
from book import LIMIT, Book, body
from part import Account


class Story:
    """Ten tasks, all of which have run, and what the books say of them; a test changes one of the two."""

    def __init__(self) -> None:
        self.book, self.account = Book(), Account()
        with Pool(2, exception_handler=self.book.handle) as pool:
            for _ in range(5):
                number = self.book.number()
                future = pool.submit(body, self.book, number, "plain", None)
                wait([self.book.watch(number, future, callback=True)])
                number = self.book.number()
                pool.go(body, self.book, number, "raise", None)
                self.book.sent.append(number)
        self.stats = pool.stats()

    def settle(self, stats: Stats | None = None) -> Account:
        self.book.settle(stats or self.stats, self.account, drops=False)
        return self.account


def test_an_even_account_is_clean() -> None:
    account = Story().settle()
    assert account.is_clean, account
    assert (account.tasks, account.faults) == (10, 5)


def test_a_task_that_has_not_run_is_lost() -> None:
    story = Story()
    story.book.ran.remove(story.book.sent[0])
    assert story.settle().lost == 1


def test_a_future_that_was_told_of_a_task_that_has_not_run_is_lost() -> None:
    story = Story()
    story.book.ran.remove(story.book.futures[0][0])
    assert story.settle().lost == 1


def test_a_future_that_is_never_told_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LIMIT > 1
    monkeypatch.setattr("book.LIMIT", 0.001)
    story = Story()
    number = story.book.number()
    with Pool(1, queue_size=1) as pool:
        pool.pause()
        story.book.futures.append((number, pool.submit(int)))
        assert story.settle().lost == 1


def test_an_exception_that_never_reaches_the_handler_is_lost() -> None:
    story = Story()
    story.book.handled.remove(story.book.sent[0])
    assert story.settle().lost == 1


def test_a_task_that_runs_twice_is_noticed() -> None:
    story = Story()
    story.book.ran.append(story.book.ran[0])
    assert story.settle().twice == 1


@pytest.mark.parametrize("told", ["called", "handled"])
def test_who_is_told_twice_is_noticed(told: str) -> None:
    story = Story()
    numbers = getattr(story.book, told)
    numbers.append(numbers[0])
    assert story.settle().problems


def test_a_pool_that_counts_one_more_is_noticed() -> None:
    story = Story()
    with Pool(1) as pool:
        pool.submit(int).result()
    assert story.settle(pool.stats()).problems
