"""Tasks that belong together: the first that fails cancels those that have not started."""

from antspy import Pool

with Pool(4) as pool:
    with pool.group() as group:
        for number in range(5):
            group.submit(pow, number, 2)
    print(group.results())  # in the order of their submission

ran: list[int] = []
with Pool(1, queue_size=None) as pool:
    pool.pause()  # so that the first runs after all are submitted
    try:
        with pool.group() as group:
            group.submit(divmod, 1, 0)
            others = [group.submit(ran.append, number) for number in range(3)]
            pool.resume()
    except* ZeroDivisionError as errors:
        print(errors.exceptions)
assert all(future.cancelled() for future in others)
assert ran == []
