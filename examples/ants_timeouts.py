"""Three limits of time: on the wait for a place, on the start of a task, and on a task that runs."""

import threading
from concurrent.futures import CancelledError

from antspy import Pool, TaskInterrupted

opened = threading.Event()
with Pool(1) as pool:
    pool.go(opened.wait)
    try:
        pool.options(timeout=0.05).submit(print, "never printed")  # no place came free
    except TimeoutError as error:
        print(error)
    opened.set()


def spin() -> None:
    while True:
        pass


with Pool(1, queue_size=1) as pool:
    endless = pool.submit(spin)
    late = pool.options(deadline=0.05).submit(print, "never printed")
    try:
        late.result()  # cancelled: no worker was free to start it in time
    except CancelledError:
        print("too late")
    assert endless.interrupt()  # raises in its Python code
    assert isinstance(endless.exception(), TaskInterrupted)
    print("interrupted")
