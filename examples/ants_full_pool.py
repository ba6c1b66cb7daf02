"""What a full pool does with one more task: a queue for it, or one of four policies."""

import threading

from antspy import Pool, PoolOverloadError

opened = threading.Event()

# A queue: nothing here blocks, though one task runs at a time.
with Pool(1, queue_size=None) as pool:
    futures = [pool.submit(pow, number, 2) for number in range(5)]
    print([future.result() for future in futures])

full = [Pool(1, overflow=overflow) for overflow in ("block", "raise", "caller_runs", "discard")]
patient, refusing, delegating, dropping = full
at_most = Pool(1, max_blocking=0)  # nobody may wait; with 5, five callers may
for pool in (*full, at_most):
    pool.go(opened.wait)

for pool in (refusing, at_most):
    try:
        pool.submit(print, "never printed")
    except PoolOverloadError as error:
        print(error)
ident = delegating.submit(threading.get_ident)
assert ident.result() == threading.get_ident()  # the caller ran it
assert dropping.submit(print, "never printed").cancelled()
threading.Timer(0.05, opened.set).start()
patient.go(print, "after the task before it")  # waited in `go` for that
for pool in (*full, at_most):
    pool.release(timeout=10)
