"""A task that submits to its own full pool, or waits for a task of it, does not wait for itself.

It runs the new task in its own place: no more tasks run at once than before, and none is stuck.
"""

from antspy import Pool


def fibonacci(number: int) -> int:
    if number < 2:
        return number
    before = pool.submit(fibonacci, number - 1)
    return fibonacci(number - 2) + before.result()


with Pool(1) as pool:
    print(pool.submit(fibonacci, 12).result())
    assert pool.submit(fibonacci, 12).result() == 144
    assert pool.running == 1
