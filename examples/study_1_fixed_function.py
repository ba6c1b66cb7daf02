"""Chapter 1 of the study: a pool with a function fixed in advance, 10,000 jobs, joined by a wait group."""

import threading

from antspy import PoolWithFunc, WaitGroup

JOBS = 10_000
group = WaitGroup()
lock = threading.Lock()
total = 0


def job(number: int) -> None:
    global total
    with lock:
        total += number
    group.done()


pool = PoolWithFunc(job, 1_000)
for number in range(JOBS):
    group.add()
    pool.invoke(number)
group.wait()
print(f"{JOBS} jobs, sum {total}, capacity {pool.capacity}, running {pool.running}, free {pool.free}")
pool.release()
