"""Dask: the threaded scheduler on an antspy executor, for one call, for a block, for the program."""

import threading

import antspy
import dask


def square(number: int) -> int:
    names.add(threading.current_thread().name)
    return number * number


names: set[str] = set()
total = dask.delayed(sum)([dask.delayed(square)(number) for number in range(20)])
with antspy.ThreadPoolExecutor(4, thread_name_prefix="ant") as executor:
    assert total.compute(pool=executor) == 2470
    with dask.config.set(pool=executor):
        print(total.compute())
    executor.tune(8)  # more workers from now on, without another executor
    assert dask.compute(total, total, pool=executor) == (2470, 2470)
print(len(names), "workers")
assert all(name.startswith("ant_") for name in names)
