"""Makes a pool's calls on a cluster: what its workers do there is to send a call and to wait for its outcome.

A worker waits on a lock of its own, which the client's event loop opens when the outcome is here. Dask's own
`Future.result()` would wait for ever for a client that is closed meanwhile, and an interrupt would not get
through to a wait that never ends. So the worker looks up now and then: whether there is still somebody who
could open the lock, and, as it runs Python's bytecode then, whether it has been interrupted.
"""

import os
import threading
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from antspy.task import frame

from .call import Call, Raised
from .errors import ClusterError

LOOKS = 1_000.0
"""So many times a second all waiting workers together look up."""

LEAST_STEP = 0.05
"""Seconds after which one of few looks up."""

LAST_WORDS = 1.0
"""Seconds for an outcome that the client may still have had when it was closed."""

LONGEST_NAME = 100
"""Characters of a task's name in its key on the cluster."""

NO_WAY = (OSError, RuntimeError)
"""What fetching a result raises where it has no way here: no connection, or no event loop any more. Whatever
else it raises is of the result, which exists on the cluster and cannot be pickled, or not unpickled here."""


class Carrier:
    """What the core calls for each task: `carrier(fn, args, kwargs, name)`."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._process = os.getpid()
        self._parcels: set[Parcel] = set()

    def __call__(
        self,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None,
        name: str | None,
    ) -> object:
        if name is None:
            return self._carry(fn, args, kwargs, None)
        # In a frame of that name: what shows the stacks of this process shows for what its workers wait.
        return frame(name)(self._carry, (fn, args, kwargs, name), None)

    def _carry(
        self,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None,
        name: str | None,
    ) -> object:
        parcel = Parcel(self._send(Call(fn, args, kwargs, name), _key(fn, name)))
        self._parcels.add(parcel)
        try:
            self._have_called(parcel.fetch)
            self._wait(parcel)
        except BaseException:
            with suppress(ClusterError):  # the first error is the one to tell
                self._have_called(parcel.cancel)
            raise
        finally:
            self._parcels.discard(parcel)
        return parcel.unpack()

    def _send(self, call: Call, key: str) -> Any:
        if os.getpid() != self._process:
            raise ClusterError("this process was forked: the client and its connection are the parent's")
        if self._client.status in ("closing", "closed"):
            raise ClusterError(f"the client is {self._client.status}: {self._client}")
        try:
            # pure=False: else Dask takes two calls of one function with the same arguments for one.
            return self._client.submit(call, key=key, pure=False)
        except Exception as error:
            if self._client.status in ("closing", "closed"):
                raise ClusterError(f"the client was closed: {error}") from error
            raise

    def _have_called(self, call: Callable[[], Awaitable[None]]) -> None:
        """Have the client's event loop call it, if that still runs."""
        try:
            self._client.loop.add_callback(call)
        except RuntimeError as error:
            raise ClusterError(f"the client's event loop has ended: {error}") from error

    def _wait(self, parcel: "Parcel") -> None:
        while not parcel.arrived.acquire(timeout=max(LEAST_STEP, len(self._parcels) / LOOKS)):
            status = self._client.status
            if status in ("closing", "closed") and not parcel.arrived.acquire(timeout=LAST_WORDS):
                raise ClusterError(f"the client is {status}, and the outcome of {parcel.key} is not here")
            if status in ("closing", "closed"):
                return


class Parcel:
    """A call that is on the cluster, and its outcome once that is here."""

    __slots__ = ("_error", "_future", "_value", "arrived", "key")

    def __init__(self, future: Any) -> None:
        self._future = future
        self.key: str = future.key
        self.arrived = threading.Lock()
        """Held until the outcome is here."""
        self.arrived.acquire()
        self._value: object = None
        self._error: BaseException | None = None

    async def fetch(self) -> None:
        """Wait for the outcome: on the client's event loop."""
        future = self._future
        try:
            self._value = await future
        except BaseException as error:
            # Also what ends this coroutine: nobody waits for that, but the worker for its lock.
            self._error = _outcome(future, error)
        finally:
            try:
                # At once: as long as anybody holds it the result stays in a worker's memory.
                future.release()
            finally:
                self.arrived.release()

    async def cancel(self) -> None:
        """Nobody waits for the outcome any more."""
        await self._future.client.cancel([self._future])

    def unpack(self) -> object:
        """Return what the call returned, or raise what it raised."""
        error = self._error
        if error is None:
            return self._value
        self._error = None
        try:
            raise error
        finally:
            del error  # its traceback refers to this frame


def _outcome(future: Any, error: BaseException) -> BaseException:
    """What `await future` raised, as what the pool's future is told."""
    if future.status == "error":  # the call's own
        if isinstance(error, Raised):
            return error.error.with_traceback(error.__traceback__)
        return error
    outcome: Exception
    if future.status == "finished" and isinstance(error, Exception) and not isinstance(error, NO_WAY):
        reason = str(error).partition("\n")[0]  # Dask has a traceback in it; the cause keeps that
        outcome = TypeError(f"the result of {future.key} cannot be pickled, or not unpickled here: {reason}")
    else:
        outcome = ClusterError(f"the outcome of {future.key} is lost: {error}")
    outcome.__cause__ = error
    return outcome


def _key(fn: Callable[..., object], name: str | None) -> str:
    """What the call is called on the cluster: its name, and what no other call has."""
    text = name or getattr(fn, "__name__", None) or type(fn).__name__
    text = str(text)[:LONGEST_NAME].encode(errors="backslashreplace").decode()
    return f"{text}-{uuid.uuid4().hex}"
