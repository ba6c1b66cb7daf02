"""Chapter 2 of the study: a pool that takes any function, 10,000 jobs, joined by a wait group."""

import time

from antspy import Pool, WaitGroup

JOBS = 10_000
pool = Pool(1_000)
group = WaitGroup()


def job() -> None:
    time.sleep(0.01)
    group.done()


for _ in range(JOBS):
    group.add()
    pool.go(job)
group.wait()
print(f"{JOBS} jobs, capacity {pool.capacity}, running {pool.running}, free {pool.free}")
pool.release()
