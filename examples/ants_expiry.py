"""Idle workers leave after `expiry` seconds, but for `min_workers`; with `expiry=None` none does."""

import threading
import time

from antspy import Pool


def start_all(pool: Pool) -> None:
    """Have all workers run at once, so that each is started."""
    together = threading.Barrier(4)
    for _ in range(4):
        pool.go(together.wait)
    pool.wait()


leaving = Pool(4, expiry=0.1)
keeping = Pool(4, expiry=0.1, min_workers=1)
staying = Pool(4, expiry=None)
pools = (leaving, keeping, staying)
for pool in pools:
    start_all(pool)
print([pool.running for pool in pools])
while leaving.running > 0 or keeping.running > 1:
    time.sleep(0.01)
time.sleep(0.2)  # and no more than that
print([pool.running for pool in pools])
assert [pool.running for pool in pools] == [0, 1, 4]
for pool in pools:
    pool.release(timeout=10)
