"""The capacity changes while the pool runs, also if all workers were started with it (`prealloc`)."""

import threading
import time

from antspy import Pool

opened = threading.Event()
with Pool(4, prealloc=True) as pool:
    print(f"{pool.running} workers before the first task")
    assert pool.running == 4
    for _ in range(4):
        pool.go(opened.wait)
    blocked = [threading.Thread(target=pool.go, args=[opened.wait]) for _ in range(3)]
    for thread in blocked:
        thread.start()
    while pool.waiting < 3:
        time.sleep(0.001)
    pool.tune(6)  # two more places: two of the three go on
    assert pool.waiting == 1
    pool.tune(1)  # nobody is interrupted; the others leave after their task
    assert (pool.capacity, pool.free) == (1, 0)
    opened.set()
    for thread in blocked:
        thread.join()
    pool.wait()
    while pool.running > 1:
        time.sleep(0.001)
    print(f"capacity {pool.capacity}, running {pool.running}")

try:
    Pool(None, prealloc=True)
except ValueError as error:
    print(error)
