"""What a pool raises."""


class PoolError(Exception):
    """A pool cannot do what it was asked, for the state it is in."""


class PoolClosedError(PoolError, RuntimeError):
    """The pool is released or shut down. The standard library's executors raise `RuntimeError`."""


class TaskInterrupted(BaseException):
    """Raised in a task by `Future.interrupt`.

    No `Exception`, as `asyncio.CancelledError` is none: a task that catches and retries whatever fails would
    never end.
    """


class PoolOverloadError(PoolError):
    """All places are taken, and the caller may not wait for one."""
