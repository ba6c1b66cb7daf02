"""One call on its way: made in the client's process, and run in a worker's."""

from collections.abc import Callable
from typing import Any

from distributed.protocol.pickle import dumps, loads

from antspy.task import frame


class Call:
    """A function and its arguments, pickled once.

    Neither Dask's client nor its scheduler looks into them: it would take strings for the keys of other
    tasks, and keywords such as `key` and `priority` for its own.
    """

    __slots__ = ("_pickled",)

    def __init__(
        self,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None,
        name: str | None,
    ) -> None:
        self._pickled: bytes = dumps((fn, args, kwargs, name))

    def __call__(self) -> object:
        """Make the call: Dask does, in a worker."""
        fn, args, kwargs, name = loads(self._pickled)
        try:
            if name is not None:
                return frame(name)(fn, args, kwargs)
            return fn(*args, **(kwargs or {}))
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                raise
            raise Raised(error).with_traceback(error.__traceback__) from None
        finally:
            # An exception's traceback keeps this frame. It must not keep what the function was called with.
            del fn, args, kwargs


class Raised(Exception):
    """Brings home what Dask would not: it takes a `SystemExit` for the end of its worker, and a coroutine, in
    which its client would raise it, cannot raise a `StopIteration`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)

    @property
    def error(self) -> BaseException:
        """What the function raised."""
        error: BaseException = self.args[0]
        return error
