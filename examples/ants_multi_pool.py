"""Several pools as one. A task goes to each in its turn, or to the one with the fewest tasks."""

import threading

from antspy import MultiPool, MultiPoolWithFunc, PoolOverloadError

opened = threading.Event()
with MultiPool(2, 1, "round_robin", overflow="raise") as multi:
    multi.go(opened.wait)  # to the first
    print(multi.submit(pow, 2, 5).result())  # to the second
    multi.go(opened.wait)  # the first is full, so the one with the fewest tasks is tried once
    print(f"capacity {multi.capacity}, running {multi.running}, free {multi.free}, waiting {multi.waiting}")
    assert [pool.running for pool in multi.pools] == [1, 1]
    try:
        multi.go(opened.wait)
    except PoolOverloadError as error:
        print(error)
    multi.pools[1].tune(2)  # each is a pool of its own
    multi.tune(3)  # each of them
    assert multi.capacity == 6
    opened.set()

greetings: list[str] = []
with MultiPoolWithFunc(greetings.append, 3, 10, "least_tasks") as fixed:
    for name in ("ant", "bee", "wasp"):
        fixed.invoke(name)
print(sorted(greetings))
for size in (0, 2):
    try:
        MultiPool(size, 1, "no such")  # type: ignore[arg-type]
    except ValueError as error:
        print(error)
