"""antspy: a bounded worker pool for Python with a Rust core.

>>> from antspy import Pool
>>> with Pool(8) as pool:
...     futures = [pool.submit(pow, base, 2) for base in range(3)]
...     [future.result() for future in futures]
[0, 1, 4]
"""

from typing import TYPE_CHECKING

from ._antspy import __version__, _debug_build, worker_state
from .adaptive import Adaptive
from .errors import PoolClosedError, PoolError, PoolOverloadError, TaskInterrupted
from .future import Future
from .group import Group
from .multi_pool import MultiPool
from .multi_pool_with_func import MultiPoolWithFunc
from .pool import Pool
from .pool_with_func import PoolWithFunc
from .process import install
from .progress import progress
from .stats import Histogram, Stats
from .thread_pool_executor import ThreadPoolExecutor
from .view import PoolView, SubPool
from .wait_group import WaitGroup

# isort: split
# Last: some of these functions are called as the modules above are, and theirs is the name in this package.
from .default import (
    amap,
    arelease,
    arun,
    asubmit,
    busy,
    capacity,
    closed,
    default_pool,
    free,
    go,
    group,
    idle,
    map,
    options,
    pause,
    queued,
    reboot,
    release,
    resume,
    running,
    stats,
    submit,
    subpool,
    tune,
    wait,
    waiting,
)

__all__ = [
    "Adaptive",
    "Future",
    "Group",
    "Histogram",
    "LoopFuture",
    "MultiPool",
    "MultiPoolWithFunc",
    "Pool",
    "PoolClosedError",
    "PoolError",
    "PoolOverloadError",
    "PoolView",
    "PoolWithFunc",
    "Stats",
    "StatsServer",
    "SubPool",
    "TaskInterrupted",
    "ThreadPoolExecutor",
    "WaitGroup",
    "__version__",
    "amap",
    "arelease",
    "arun",
    "asubmit",
    "busy",
    "capacity",
    "closed",
    "default_pool",
    "free",
    "go",
    "group",
    "idle",
    "map",
    "options",
    "pause",
    "progress",
    "queued",
    "reboot",
    "release",
    "resume",
    "running",
    "serve_stats",
    "stats",
    "submit",
    "subpool",
    "tune",
    "wait",
    "waiting",
    "worker_state",
]

if TYPE_CHECKING:
    from .loop_future import LoopFuture
    from .watch.server import StatsServer, serve_stats
else:
    _LATER = {"LoopFuture": "loop_future", "StatsServer": "watch.server", "serve_stats": "watch.server"}
    """What needs `asyncio` or `http.server`, which most programs do without."""

    def __getattr__(name: str) -> object:
        """Import what few programs need when it is asked for."""
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        return found


install()

if _debug_build:
    import warnings

    warnings.warn(
        "this is a debug build of antspy: it is several times slower than a release build",
        RuntimeWarning,
        stacklevel=2,
    )
