"""joblib: one call makes the backend known, one line chooses it."""

import time

import joblib
from antspy.joblib import register

register()


def measure(name: str) -> int:
    time.sleep(0.01)  # something that lets go of the interpreter: I/O, NumPy, a C extension
    return len(name)


names = ["ant", "bee", "wasp"] * 10
with joblib.parallel_config(backend="antspy", n_jobs=8):
    lengths = joblib.Parallel()(joblib.delayed(measure)(name) for name in names)
    first = next(joblib.Parallel(return_as="generator")(joblib.delayed(measure)(name) for name in names[:1]))
print(sum(lengths), first)
assert lengths == [3, 3, 4] * 10
assert first == 3
