"""Chapter 4 of the study: all workers are started when the pool is made."""

import time

from antspy import Pool

start = time.perf_counter()
pool = Pool(500, prealloc=True)
print(f"{pool.running} workers after {time.perf_counter() - start:.2f} s, before the first job")
for _ in range(500):
    pool.go(time.sleep, 0.1)
pool.wait()
print(f"500 jobs of 0.1 s done {time.perf_counter() - start:.2f} s after the start")
pool.release()
