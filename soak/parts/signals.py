"""Signals at any moment, whose handlers close the pool, or break off what the main thread waits for."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

from antspy import Pool, PoolClosedError
from part import Account, Amount, Part

LIMIT = 30.0
"""Seconds after which a wait hangs."""


class Interrupt(Exception):
    """What a handler raises."""


def run(amount: int) -> Account:
    """Close `amount` pools by a signal in each way, and break off as many waits."""
    account = Account()
    chance = random.Random(7)
    for _ in range(amount):
        for close in CLOSES.values():
            closed_by_signal(account, close, chance.uniform(1e-5, 3e-3))
        interrupted(account, chance)
    account.figures["ways"] = f"{', '.join(CLOSES)}, an exception"
    return account


CLOSES: dict[str, Callable[[Pool], object]] = {
    "release": lambda pool: pool.release(),
    "release with a timeout": lambda pool: pool.release(timeout=LIMIT),
    "shutdown": lambda pool: pool.shutdown(),
    "shutdown that cancels": lambda pool: pool.shutdown(cancel_futures=True),
}


def with_handler(handler: Callable[[], object], seconds: float, body: Callable[[], None]) -> None:
    """Run `body`; `seconds` from now the handler is called in its midst."""

    def handle(number: int, frame: FrameType | None) -> None:
        handler()

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        body()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def closed_by_signal(account: Account, close: Callable[[Pool], object], seconds: float) -> None:
    """The main thread submits and waits until the handler of a signal has closed the pool."""
    pool = Pool(2, queue_size=2)
    ran: list[int] = []
    futures: list[Any] = []

    def use() -> None:
        try:
            while True:
                futures.append(pool.submit(ran.append, len(futures)))
                pool.go(time.sleep, 0.0001)
                if len(futures) % 8 == 0:
                    pool.wait(LIMIT)
        except PoolClosedError:
            pass

    with_handler(lambda: close(pool), seconds, use)
    pool.release(timeout=LIMIT)
    account.rounds += 1
    account.faults += 1
    account.tasks += len(futures)
    counts = Counter(ran)
    for number, future in enumerate(futures):
        ended = counts[number] + future.cancelled()
        account.lost += not future.done() or ended < 1
        account.twice += ended > 1


def interrupted(account: Account, chance: random.Random) -> None:
    """Exceptions of a handler break off submits and waits of the main thread."""
    tasks: list[int] = []
    number = broken_off = 0

    def raise_interrupt() -> None:
        raise Interrupt

    with Pool(1) as pool:
        for _ in range(10):

            def use() -> None:
                nonlocal number
                while True:
                    number += 1  # also of one that is not accepted
                    pool.submit(tasks.append, number).result()

            try:
                with_handler(raise_interrupt, chance.uniform(1e-5, 1e-3), use)
            except Interrupt:
                broken_off += 1
        if not pool.wait(LIMIT):
            account.problems.append("a pool whose user was interrupted is not quiet")
        stats = pool.stats()
    account.rounds += 1
    account.faults += broken_off
    account.tasks += stats.submitted
    account.lost += max(stats.submitted - len(set(tasks)), 0)
    account.twice += len(tasks) - len(set(tasks))


SIGNALS = Part(
    "signals",
    "handlers of signals close the pool that the main thread uses, or break off its waits",
    Amount(short=50, long=5_000),
    run,
    minutes=20,
    missing=lambda: None if hasattr(signal, "setitimer") else "needs an alarm that is a signal",
)
