"""A pool is made, gets tasks, and says when all of them are done.

`go` is what ants calls Submit: nobody wants the result. `submit` returns a future. `wait` leaves the pool
open.
"""

import threading

from antspy import Pool

pool = Pool(2)
started = threading.Barrier(3)
pool.go(started.wait)
pool.go(started.wait)
started.wait()  # both run at once, and a third would wait in `go` until one of them ends
assert pool.wait()

futures = [pool.submit(pow, 2, power) for power in range(5)]
print([future.result() for future in futures])
print(list(pool.map(pow, [2, 3], [5, 2])))
assert pool.wait(timeout=10)
assert not pool.closed
pool.release()

with Pool(None) as unlimited:
    print(f"capacity {unlimited.capacity}, free {unlimited.free}")
try:
    Pool(0)
except ValueError as error:
    print(error)
