"""Progress: a bar over a map, and one over whatever a pool does."""

import time

import antspy


def fetch(number: int) -> int:
    time.sleep(0.01)
    return number


with antspy.Pool(8) as pool:
    # On stderr: by rich if it is installed, else by tqdm, else a plain line. So stdout is the results' alone.
    print(sum(pool.map(fetch, range(200), progress="fetching")))

    # A generator has no length: the bar has no end until the map has.
    print(sum(pool.map(fetch, (number for number in range(100)), progress=True)))

    # Tasks that are handed in one by one.
    with antspy.progress(pool, "pages"):
        for number in range(200):
            pool.go(fetch, number)
        pool.wait()  # the block itself does not wait
