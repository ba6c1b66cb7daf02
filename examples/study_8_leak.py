"""Chapter 8 of the study: five workers of one second each, which the program must wait for.

Without `wait` it would go on, and in Go end, while they still run. A wait group counts them: `add` before
each, `done` at its end, `wait` for all.
"""

import sys
import time

from antspy import Pool, WaitGroup

pool = Pool(5)
group = WaitGroup()


def say(line: str) -> None:
    """In one write: `print` writes the end of a line apart, and another worker comes between."""
    sys.stdout.write(line + "\n")


def worker(number: int) -> None:
    say(f"Worker {number} starting")
    time.sleep(1)
    say(f"Worker {number} done")
    group.done()


for number in range(1, 6):
    group.add()
    pool.go(worker, number)
group.wait()
pool.release()
