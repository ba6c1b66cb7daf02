"""The default pool, and the package's functions that use it."""

from .pool import Pool

_pool = Pool(2147483647, thread_name_prefix="antspy-default")


def default_pool() -> Pool:
    """Return the pool behind the package's functions; its capacity is 2147483647, as in ants.

    >>> import antspy
    >>> antspy.submit(abs, -3).result()
    3
    >>> antspy.default_pool().capacity
    2147483647
    """
    return _pool


# Bound methods: a call of the package's function costs no more than one of the pool's.
submit = _pool.submit
asubmit = _pool.asubmit
arun = _pool.arun
amap = _pool.amap
go = _pool.go
map = _pool.map
wait = _pool.wait
tune = _pool.tune
pause = _pool.pause
resume = _pool.resume
options = _pool.options
group = _pool.group
subpool = _pool.subpool
stats = _pool.stats
release = _pool.release
arelease = _pool.arelease
reboot = _pool.reboot


def capacity() -> int | None:
    """Return the default pool's number, as `Pool.capacity`."""
    return _pool.capacity


def running() -> int:
    """Return the default pool's number, as `Pool.running`."""
    return _pool.running


def free() -> int | None:
    """Return the default pool's number, as `Pool.free`."""
    return _pool.free


def waiting() -> int:
    """Return the default pool's number, as `Pool.waiting`."""
    return _pool.waiting


def busy() -> int:
    """Return the default pool's number, as `Pool.busy`."""
    return _pool.busy


def idle() -> int:
    """Return the default pool's number, as `Pool.idle`."""
    return _pool.idle


def queued() -> int:
    """Return the default pool's number, as `Pool.queued`."""
    return _pool.queued


def closed() -> bool:
    """Return whether the default pool is closed, as `Pool.closed`."""
    return _pool.closed
