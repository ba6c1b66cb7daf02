"""An exception that nobody waits for goes to the pool's handler, or to the logger `antspy`.

The worker lives.
"""

import logging
import sys
import threading

from antspy import Pool

seen: list[BaseException] = []
with Pool(1, exception_handler=seen.append) as pool:
    before = pool.submit(threading.get_ident).result()
    pool.go(divmod, 1, 0)
    pool.go(int, "no number")
    assert pool.submit(threading.get_ident).result() == before
print(seen)
assert [type(error) for error in seen] == [ZeroDivisionError, ValueError]

logger = logging.getLogger("antspy")
logger.addHandler(logging.StreamHandler(sys.stdout))
with Pool(1) as pool:
    pool.options(name="the division").go(divmod, 1, 0)  # with its traceback, and the task's name
