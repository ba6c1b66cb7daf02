"""tqdm: `thread_map` on an antspy executor, and a bar over a pool's `map`."""

import io
from functools import partial

import antspy
from tqdm import tqdm
from tqdm.contrib.concurrent import _executor_map

# `tqdm.contrib.concurrent.thread_map` is this with the standard executor.
thread_map = partial(_executor_map, antspy.ThreadPoolExecutor)

shown = io.StringIO()
squares = thread_map(pow, range(1000), [2] * 1000, max_workers=4, desc="executor", file=shown)

# The same with a bounded look-ahead: `numbers` may have no end.
numbers = range(1000)
with antspy.Pool(4) as pool:
    for number, square in enumerate(tqdm(pool.map(pow, numbers, [2] * 1000), "pool", total=1000, file=shown)):
        assert square == squares[number] == number * number
bars = [line for line in shown.getvalue().replace("\r", "\n").splitlines() if "100%" in line]
print("\n".join(bars))
assert all(f"{name}: 100%" in shown.getvalue() for name in ("executor", "pool"))
assert all("1000/1000" in bar for bar in bars)
