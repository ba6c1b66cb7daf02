"""A pool is closed, is waited for as often as one likes, and is opened again."""

import threading

from antspy import Pool, PoolClosedError

opened = threading.Event()
pool = Pool(3)
pool.tune(1)
busy = pool.submit(opened.wait)
pool.release()  # at once; and once more does no harm
pool.release()
try:
    pool.go(print, "never printed")
except PoolClosedError as error:
    print(error)
try:
    pool.release(timeout=0.05)  # the task still runs
except TimeoutError as error:
    print(error)
opened.set()
pool.release(timeout=10)  # again, and this time they are gone
assert busy.result() is True
assert pool.running == 0

pool.reboot()
pool.reboot()  # it is open: nothing happens
print(f"open again, capacity {pool.capacity}: {pool.submit(pow, 2, 9).result()}")
assert pool.capacity == 1
pool.release()
