"""What goes on inside: workers, places, blocked callers, and what has been done so far."""

import threading
import time

from antspy import Pool

opened = threading.Event()
with Pool(2) as pool:
    pool.go(opened.wait)
    pool.go(opened.wait)
    blocked = threading.Thread(target=pool.go, args=[opened.wait])
    blocked.start()
    while pool.waiting == 0 or pool.busy < 2:  # it blocks in `go`; the others run
        time.sleep(0.001)
    stats = pool.stats()  # all of one moment
    print(f"running {pool.running}, free {pool.free}, waiting {pool.waiting}")
    print(f"busy {stats.busy}, idle {stats.idle}, queued {stats.queued}, submitted {stats.submitted}")
    assert (pool.running, pool.free, pool.waiting, stats.busy) == (2, 0, 1, 2)
    opened.set()
    blocked.join()
    pool.wait()
    stats = pool.stats()
    print(f"{stats.completed} done, mean time in the queue {stats.queue_time.mean:.6f} s")
    assert (stats.completed, stats.failed, pool.waiting) == (3, 0, 0)
