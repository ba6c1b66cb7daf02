"""A pool that starts at most so many tasks a second, evenly spaced."""

import time

from antspy import Pool

starts: list[float] = []
with Pool(10, rate=100) as pool:  # one each 10 ms, however many workers there are
    for _ in range(20):
        pool.go(lambda: starts.append(time.monotonic()))
seconds = max(starts) - min(starts)
print(f"{len(starts)} tasks in {seconds:.2f} s")
assert seconds > 0.1
