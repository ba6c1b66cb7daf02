"""A server that forks before it serves, as gunicorn does: `fork.py WORKERS KILLS`. It says how each ends.

The parent makes the pool and uses it all the time. Each child serves tasks with the pool that it inherited;
some are killed as they do, and others take their place.
"""

import os
import signal
import sys
import threading
import time
import warnings

from antspy import Pool

WORKERS, KILLS = int(sys.argv[1]), int(sys.argv[2])
TASKS = 50

warnings.simplefilter("ignore", DeprecationWarning)  # of a fork in a program with threads


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def serve(killed: bool) -> None:
    """Serve in the child; one that is to be killed serves until then, and says when it may be."""
    ran: list[int] = []
    done = 0
    while killed or done < TASKS:
        futures = [pool.submit(ran.append, done + number) for number in range(10)]
        for future in futures:
            future.result(timeout=20)
        done += len(futures)
        if killed and done == TASKS:
            os.write(serves[1], b".")
    pool.shutdown()
    say("served", done, len(ran), len(set(ran)))


def start(killed: bool) -> int:
    child = os.fork()
    if child == 0:
        try:
            serve(killed)
        finally:
            os._exit(0 if pool.closed else 1)
    return child


def disturb() -> None:
    while not stop.is_set():
        accepted.append(pool.submit(sum, (1, 2)))
        time.sleep(0.0005)


pool = Pool(4, queue_size=8)
stop = threading.Event()
serves = os.pipe()
accepted: list[object] = []
parents = threading.Thread(target=disturb)
parents.start()
for _ in range(KILLS):
    doomed = start(killed=True)
    os.read(serves[0], 1)
    os.kill(doomed, signal.SIGKILL)
    say("killed", os.waitstatus_to_exitcode(os.waitpid(doomed, 0)[1]))
children = [start(killed=False) for _ in range(WORKERS)]
# And from within a task.
children.append(pool.submit(start, False).result(timeout=20))
for child in children:
    say("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set()
parents.join()
results = [future.result(timeout=20) for future in accepted]  # type: ignore[attr-defined]
right = sum(result == 3 for result in results)
say("parent", len(results), right, right)
