"""`map`: ordered results, with a bounded look-ahead.

The core's map makes no future (`src/py/map.rs`). Where somebody has put another `submit` in the place of the
pool's, or several pools are one, `submit` is called for each task, and its future kept.
"""

import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import Any, Protocol, TypeVar

from ._antspy import _Map
from .progress import judge, map_bar, shown

T = TypeVar("T")


class Places(Protocol):
    """What has places for tasks: a pool, several pools as one, or a view."""

    @property
    def _places(self) -> int | None: ...


class Submitter(Places, Protocol):
    """What `map` needs."""

    @property
    def submit(self) -> Any: ...

    @property
    def options(self) -> Any: ...


def map_tasks(
    pool: Submitter,
    fn: Callable[..., T],
    iterables: tuple[Iterable[Any], ...],
    timeout: float | None,
    chunksize: int,
    buffersize: int | None,
    progress: bool | str = False,
) -> Iterator[T]:
    """See `Pool.map`."""
    ahead = look_ahead(pool, fn, chunksize, buffersize)
    judge(progress)
    if timeout is not None and not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number of seconds or None, not {timeout!r}")
    if progress is not False:
        bar = map_bar(progress, fn, iterables)
        return shown(map_tasks(pool, fn, iterables, timeout, chunksize, buffersize), bar)
    if chunksize == 1:
        return _map(pool, fn, iterables, timeout, ahead)
    items = zip(*iterables, strict=False)
    chunks = iter(lambda: tuple(islice(items, chunksize)), ())
    return _flatten(_map(pool, partial(run_chunk, fn), (chunks,), timeout, ahead))


def _map(
    pool: Submitter,
    fn: Callable[..., T],
    iterables: tuple[Iterable[Any], ...],
    timeout: float | None,
    ahead: int | None,
) -> Iterator[T]:
    if has_own_submit(pool):
        return _Map(pool, fn, iterables, ahead=ahead, timeout=timeout)
    deadline = None if timeout is None else time.monotonic() + timeout
    return _results(_submitted(pool, fn, zip(*iterables, strict=False), deadline), ahead, deadline)


def has_own_submit(pool: Submitter) -> bool:
    """Whether its `submit` is the core's, as looked up on the instance: others replace it."""
    own = getattr(pool, "_submit", None)  # the same method of the same object, under its private name
    return own is not None and pool.submit == own


def look_ahead(pool: Places, fn: Callable[..., T], chunksize: int, buffersize: int | None) -> int | None:
    """Judge the arguments of `map`, and return how many tasks it looks ahead at most; `None`: all."""
    if not callable(fn):
        raise TypeError(f"fn must be callable, not {fn!r}")
    _at_least_one("chunksize", chunksize)
    if buffersize is not None:
        _at_least_one("buffersize", buffersize)
    return min(filter(None, (buffersize, pool._places)), default=None)


def map_as_executor(
    executor: Submitter,
    fn: Callable[..., T],
    iterables: tuple[Iterable[Any], ...],
    timeout: float | None,
    buffersize: int | None,
) -> Iterator[T]:
    """See `ThreadPoolExecutor.map`: what the standard library does, and its messages."""
    if buffersize is not None and not isinstance(buffersize, int):
        raise TypeError("buffersize must be an integer or None")
    if buffersize is not None and buffersize < 1:
        raise ValueError("buffersize must be None or > 0")
    if has_own_submit(executor):
        return _Map(executor, fn, iterables, ahead=buffersize, timeout=timeout, stands_in=True)
    deadline = None if timeout is None else time.monotonic() + timeout
    items: Iterator[tuple[Any, ...]] = zip(*iterables, strict=False)
    pending = deque(executor.submit(fn, *item) for item in islice(items, buffersize))
    alive = weakref.ref(executor)

    if buffersize is None:
        items = iter(())  # all are taken: those who have ended are not asked again

    def submit_next() -> None:
        # Nothing here keeps the executor. If nobody else does, the map ends with what has been submitted.
        if (owner := alive()) is not None and (item := next(items, None)) is not None:
            pending.append(owner.submit(fn, *item))

    def results() -> Iterator[T]:
        try:
            while pending:
                submit_next()
                yield _result(pending.popleft(), deadline)
        finally:
            for future in pending:
                future.cancel()

    return results()


def _at_least_one(name: str, value: int) -> None:
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")


def _submitted(
    pool: Submitter, fn: Callable[..., T], items: Iterable[tuple[Any, ...]], deadline: float | None
) -> Iterator[Future[T]]:
    replaced = "submit" in getattr(pool, "__dict__", ())
    own = type(pool).__module__.startswith("antspy.")
    if deadline is None or replaced or not own:  # a `submit` of somebody else's is called as it is
        return (pool.submit(fn, *item) for item in items)
    return (pool.options(timeout=_left(deadline)).submit(fn, *item) for item in items)


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def run_chunk(fn: Callable[..., T], chunk: Iterable[tuple[Any, ...]]) -> list[T]:
    """Call `fn` with each of several items: one task."""
    return [fn(*item) for item in chunk]


def _results(tasks: Iterator[Future[T]], ahead: int | None, deadline: float | None) -> Iterator[T]:
    # The first tasks are submitted by the call of map() itself, as the standard library does.
    pending: deque[Future[T]] = deque()
    try:
        pending.extend(islice(tasks, ahead))
    except BaseException:  # no place in time, or no item: nobody will ask for those before it
        for future in pending:
            future.cancel()
        raise

    def results() -> Iterator[T]:
        try:
            while pending:
                result = _result(pending.popleft(), deadline)
                pending.extend(islice(tasks, 1))
                yield result
        finally:
            # Abandoned, or a task raised: what has not started will not.
            for future in pending:
                future.cancel()

    return results()


def _result(future: Future[T], deadline: float | None) -> T:
    left = None if deadline is None else _left(deadline)
    try:
        return future.result(left)
    except BaseException:
        future.cancel()
        raise
    finally:
        # An exception's traceback refers to this frame, and the future to the exception.
        del future


def _flatten(chunks: Iterator[list[T]]) -> Iterator[T]:
    for chunk in chunks:
        yield from chunk
