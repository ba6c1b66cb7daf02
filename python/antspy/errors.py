"""What a pool raises."""


class PoolError(Exception):
    """A pool cannot do what it was asked, for the state it is in.

    >>> from antspy import Pool, PoolError
    >>> pool = Pool(1)
    >>> pool.release()
    >>> try:
    ...     pool.go(print, "never")
    ... except PoolError as error:
    ...     print(type(error).__name__)
    PoolClosedError
    """


class PoolClosedError(PoolError, RuntimeError):
    """The pool is released or shut down. A `RuntimeError`, as the standard library's executors raise.

    >>> from antspy import Pool, PoolClosedError
    >>> pool = Pool(1)
    >>> pool.release()
    >>> try:
    ...     pool.submit(print, "never")
    ... except PoolClosedError as error:
    ...     print(error)
    cannot schedule new futures after shutdown
    """


class TaskInterrupted(BaseException):
    """Raised in a task by `Future.interrupt`.

    No `Exception`, as `asyncio.CancelledError` is none: a task that catches and retries whatever fails would
    never end. An example is at `Future.interrupt`; it does as `asyncio.CancelledError` where it is caught.
    """


class PoolOverloadError(PoolError):
    """All places are taken, and the caller may not wait for one.

    >>> from antspy import Pool, PoolOverloadError
    >>> with Pool(1, overflow="raise") as pool:
    ...     pool.pause()
    ...     pool.go(print, "accepted")
    ...     try:
    ...         pool.go(print, "one too many")
    ...     except PoolOverloadError:
    ...         print("full")
    full
    accepted
    """
