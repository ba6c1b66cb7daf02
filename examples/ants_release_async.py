"""Releasing a pool in a coroutine: the loop goes on, and the wait can be cancelled and taken up again."""

import asyncio
import threading

from antspy import Pool

opened = threading.Event()
pool = Pool(2)
pool.go(opened.wait)


async def main() -> None:
    waiting = asyncio.create_task(pool.arelease())
    while not pool.closed:
        await asyncio.sleep(0)
    waiting.cancel()  # of the wait only: the pool stays closed, and its task runs on
    print(f"closed {pool.closed}, workers left {pool.running}")
    opened.set()
    await pool.arelease()
    print(f"workers left {pool.running}")


asyncio.run(main())
assert pool.running == 0
