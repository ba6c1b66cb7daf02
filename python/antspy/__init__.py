"""antspy: a bounded worker pool for Python with a Rust core.

>>> from antspy import Pool
>>> with Pool(8) as pool:
...     futures = [pool.submit(pow, base, 2) for base in range(3)]
...     [future.result() for future in futures]
[0, 1, 4]
"""

from ._antspy import __version__, _debug_build
from .default import (
    capacity,
    closed,
    default_pool,
    free,
    go,
    idle,
    map,
    queued,
    reboot,
    release,
    running,
    submit,
    tune,
    wait,
    waiting,
)
from .errors import PoolClosedError, PoolError, PoolOverloadError
from .future import Future
from .pool import Pool
from .pool_with_func import PoolWithFunc
from .process import install
from .wait_group import WaitGroup

__all__ = [
    "Future",
    "Pool",
    "PoolClosedError",
    "PoolError",
    "PoolOverloadError",
    "PoolWithFunc",
    "WaitGroup",
    "__version__",
    "capacity",
    "closed",
    "default_pool",
    "free",
    "go",
    "idle",
    "map",
    "queued",
    "reboot",
    "release",
    "running",
    "submit",
    "tune",
    "wait",
    "waiting",
]

install()

if _debug_build:
    import warnings

    warnings.warn(
        "this is a debug build of antspy: it is several times slower than a release build",
        RuntimeWarning,
        stacklevel=2,
    )
