"""Blocking calls from coroutines: a bounded number at a time, and no call blocks the event loop."""

import asyncio
import time

from antspy import Pool, WaitGroup


def fetch(number: int) -> int:
    time.sleep(0.01)  # a blocking call
    return number * number


async def main() -> None:
    async with Pool(4) as pool:
        print("one:", await pool.arun(fetch, 3))
        print("many:", sum(await asyncio.gather(*(pool.arun(fetch, number) for number in range(20)))))

        future = await pool.asubmit(fetch, 5)  # waits for a place, not for the result
        print("later:", await future)

        async for square in pool.amap(fetch, range(3)):  # in order, never more ahead than there are places
            print("next:", square)

        async with WaitGroup(pool) as group:  # nobody wants a result
            for number in range(8):
                group.go(fetch, number)

        try:
            async with asyncio.timeout(0.005):
                await pool.arun(time.sleep, 0.02)
        except TimeoutError:
            print("too late")


asyncio.run(main())
