"""What a pool raises."""


class PoolError(Exception):
    """A pool cannot do what it was asked, for the state it is in."""


class PoolClosedError(PoolError, RuntimeError):
    """The pool is released or shut down. The standard library's executors raise `RuntimeError`."""


class PoolOverloadError(PoolError):
    """All places are taken, and the caller may not wait for one."""
