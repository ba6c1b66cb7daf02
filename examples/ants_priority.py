"""Three lanes: urgent tasks start first, those of one lane in order, and no lane starves."""

from antspy import Pool

order: list[str] = []
with Pool(1, queue_size=None) as pool:
    pool.pause()  # accepted, and not started until all are there
    for name in ("one", "two"):
        pool.options(priority="low").go(order.append, f"low {name}")
        pool.go(order.append, f"normal {name}")
        pool.options(priority="high").go(order.append, f"high {name}")
    assert (pool.queued, order) == (6, [])
    pool.resume()
print(order)
assert order == ["high one", "high two", "normal one", "normal two", "low one", "low two"]
