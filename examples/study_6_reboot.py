"""Chapter 6 of the study: a released pool is opened again, with the same settings."""

from antspy import Pool, PoolClosedError

pool = Pool(10)
print(pool.submit(pow, 2, 8).result())
pool.release(timeout=10)
try:
    pool.go(print, "never printed")
except PoolClosedError as error:
    print(error)
pool.reboot()
print(pool.submit(pow, 2, 9).result())
pool.release()
