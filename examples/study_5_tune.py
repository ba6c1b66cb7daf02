"""Chapter 5 of the study: the capacity changes while the pool runs, from any thread."""

import threading
import time

from antspy import Pool

pool = Pool(10)
tuner = threading.Timer(0.2, pool.tune, [1_000])
tuner.start()
start = time.perf_counter()
for _ in range(500):  # at capacity 10 this takes 5 s
    pool.go(time.sleep, 0.1)
pool.wait()
print(f"500 jobs of 0.1 s in {time.perf_counter() - start:.2f} s, capacity {pool.capacity}")
pool.tune(5)
while pool.running > 5:  # idle workers that are too many leave at once
    time.sleep(0.001)
print(f"tuned down: capacity {pool.capacity}, running {pool.running}")
pool.release()
