"""A pool for one function, which it holds once."""

from typing import Any

from antspy import PoolWithFunc

squares: list[int] = []


def square(number: int) -> int:
    squares.append(number * number)
    return number * number


with PoolWithFunc(square, 2) as pool:
    for number in range(4):
        pool.invoke(number)
    print(pool.submit(12).result())
    pool.wait()
print(sorted(squares))
assert sorted(squares) == [0, 1, 4, 9, 144]

nothing: Any = None
try:
    PoolWithFunc(nothing, -1)  # the function is looked at before the capacity
except TypeError as error:
    print(error)
