"""Chapter 7 of the study: the same work by hand, with a jobs queue, a results queue and three threads.

Beside it the pool of 20 workers that needs none of this.
"""

import threading
import time
from queue import SimpleQueue

from antspy import Pool

JOBS = 60


def work(number: int) -> int:
    time.sleep(0.01)
    return number * 2


def worker(jobs: SimpleQueue[int | None], results: SimpleQueue[int]) -> None:
    for number in iter(jobs.get, None):
        results.put(work(number))


jobs: SimpleQueue[int | None] = SimpleQueue()
results: SimpleQueue[int] = SimpleQueue()
threads = [threading.Thread(target=worker, args=(jobs, results)) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(JOBS):
    jobs.put(number)
for _ in threads:
    jobs.put(None)  # one for each worker, or it never ends
by_hand = sum(results.get() for _ in range(JOBS))
for thread in threads:
    thread.join()

with Pool(20) as pool:
    by_pool = sum(pool.map(work, range(JOBS)))
print(f"by hand {by_hand}, by pool {by_pool}")
