"""Chapter 3 of the study: two submits in each turn of the loop."""

from antspy import Pool, WaitGroup

seen: list[str] = []
with Pool(100) as pool, WaitGroup(pool) as group:
    for turn in range(1_000):
        group.go(seen.append, f"first {turn}")
        group.go(seen.append, f"second {turn}")
print(f"{len(seen)} jobs in 1000 turns")
