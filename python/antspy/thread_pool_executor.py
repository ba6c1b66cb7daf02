"""The standard library's `ThreadPoolExecutor`, on this core."""

import concurrent.futures
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from threading import Thread
from typing import Any, TypeVar

from .exception_handler import ExceptionHandler
from .map import map_as_executor
from .pool import Pool
from .settings import Overflow, prefix, stack_bytes

T = TypeVar("T")

_SETTLED_WITHIN = 0.2
"""Seconds to wait at most for workers that are on their way, before they are counted."""


class ThreadPoolExecutor(Pool, concurrent.futures.ThreadPoolExecutor):
    """The standard library's `ThreadPoolExecutor`, by the same name and behaviour, and a `Pool`.

    Where a program uses that class, importing this one instead is all that is to be changed. The queue has
    no limit, so `submit` never waits; workers stay until the end; an exception that nobody looks at stays in
    its future. The README lists what differs. All that a `Pool` has is here, too: `tune`, `go`, `wait`, ...

    Args:
        max_workers: How many tasks run at the same time; `None`: the number of processors and 4, at most 32.
        thread_name_prefix: Workers are called `{prefix}_0`, `{prefix}_1`, ...; by default
            `ThreadPoolExecutor-N_0`, ...
        initializer: Called with `initargs` in each worker before its first task. If it raises, that is
            logged, and the executor is broken: `BrokenThreadPool`.
        queue_size: How many tasks are accepted and wait for a worker; `None`: no limit. With a limit, a full
            executor does what `overflow` says.
        expiry: Seconds after which an idle worker leaves; `None`, as in the standard library: never. Programs
            that were written for it may count on their threads, and on what is kept in `threading.local`.
        exception_handler: Called with what a `go` task raised; by default it is logged. What a future raised
            that nobody looks at it gets only if it is given.
        overflow: As of `Pool`.
        max_blocking: As of `Pool`.
        min_workers: As of `Pool`.
        prealloc: As of `Pool`.
        rate: As of `Pool`.
        finalizer: As of `Pool`.
        stack_size: As of `Pool`.

    Raises:
        ValueError, TypeError: An argument makes no sense.

    >>> from antspy import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(max_workers=4) as executor:
    ...     executor.submit(pow, 323, 2).result()
    104329
    """

    def __init__(
        self,
        max_workers: float | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        queue_size: int | None = None,
        overflow: Overflow = "block",
        max_blocking: int | None = None,
        expiry: float | None = None,
        min_workers: int = 0,
        prealloc: bool = False,
        rate: float | None = None,
        exception_handler: ExceptionHandler | None = None,
        finalizer: Callable[[Any], object] | None = None,
        stack_size: int | None = None,
    ) -> None:
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._thread_name_prefix = prefix(str(thread_name_prefix or ""), "ThreadPoolExecutor")
        self._initializer = initializer  # type: ignore[assignment]  # it may return a worker's state
        self._initargs = initargs
        self._open(
            _workers(max_workers),
            queue_size=queue_size,
            overflow=overflow,
            max_blocking=max_blocking,
            expiry=expiry,
            min_workers=min_workers,
            prealloc=prealloc,
            daemon=False,
            rate=rate,
            exception_handler=exception_handler,
            initializer=initializer,
            initargs=() if initializer is None else tuple(initargs),
            finalizer=finalizer,
            thread_name_prefix=self._thread_name_prefix,
            stack_size=stack_bytes(stack_size),
            function=None,
            stands_in=True,
        )

    def map(  # type: ignore[override]  # the standard library's signature: no `progress`
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """Call `fn` with the items of `iterables`, several at once, and yield the results in order.

        As the standard library's: all items are taken, and all tasks submitted, by this call; with
        `buffersize`, which it has from 3.14 on, so many of them, and the next as results are consumed. With
        a limited `queue_size` this call looks ahead no further than there are places, as `Pool.map`.

        Args:
            fn: Called with one item of each iterable.
            iterables: Any; the shortest ends it.
            timeout: Seconds from this call on after which a result that is not there raises `TimeoutError`.
            chunksize: Without effect, as in the standard library.
            buffersize: How many tasks to look ahead; `None`: no limit.

        Raises:
            PoolOverloadError: With `overflow="raise"`: others have taken places, and there is none for a task
                of this map. Raised by this call for one of the first tasks, later at the place of a result;
                its other tasks that have not started are cancelled.
            Exception: What `fn` raised, at the place of its result; the tasks after it that have not started
                are cancelled.
        """
        if self._places is not None:
            return super().map(fn, *iterables, timeout=timeout, buffersize=buffersize)
        return map_as_executor(self, fn, iterables, timeout, buffersize)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse new tasks; with `wait`, return when all workers are gone. As `Pool.shutdown`.

        `cancel_futures` cancels what no worker has taken.
        """
        self._crew.keeps_ended = True
        if cancel_futures:
            # The standard class starts a worker with each submit, and what that has taken is not cancelled.
            # Here the workers may still be on the way to the first tasks.
            try:
                self._settle(_SETTLED_WITHIN)
            except BaseException:  # Ctrl-C
                super().shutdown(wait=False, cancel_futures=True)
                raise
        super().shutdown(bool(wait), cancel_futures=bool(cancel_futures))

    def reboot(self) -> None:
        """Open the executor again, as `Pool.reboot`."""
        super().reboot()
        self._crew.keeps_ended = False
        self._crew.difference_update([thread for thread in self._crew.copy() if not thread.is_alive()])

    # What others read of the standard class, though it is private there.

    @property
    def _max_workers(self) -> int:
        return sys.maxsize if self.capacity is None else self.capacity

    @_max_workers.setter
    def _max_workers(self, max_workers: int) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.tune(max_workers)

    @property
    def _threads(self) -> set[Thread]:  # type: ignore[override]
        """The workers that live; after `shutdown`, those that lived then.

        Where very many are on their way it has those that have come soon.
        """
        self._settle(_SETTLED_WITHIN)
        return set(self._crew)

    @property  # type: ignore[override]
    def _work_queue(self) -> "_WorkQueue":
        return _WorkQueue(self)

    @_work_queue.setter
    def _work_queue(self, queue: object) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        raise AttributeError(
            f"_work_queue is the pool's own, and cannot be {queue!r}: "
            "for a limit, pass queue_size= to ThreadPoolExecutor"
        )

    @property
    def _broken(self) -> str | bool:  # type: ignore[override]
        fault = self._fault()
        return str(fault) if fault is not None else False

    @property
    def _shutdown(self) -> bool:  # type: ignore[override]
        return self.closed


class _WorkQueue:
    """What can be asked of the standard class's queue."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor

    def qsize(self) -> int:
        return self._executor.queued

    def empty(self) -> bool:
        return self._executor.queued == 0


def _workers(max_workers: float | None) -> int | None:
    """Return how many tasks run at the same time. As in the standard library, 2.5 means 3."""
    if max_workers is None:
        count = getattr(os, "process_cpu_count", os.cpu_count)  # 3.13 and later have the first
        return min(32, (count() or 1) + 4)
    if max_workers <= 0:
        raise ValueError("max_workers must be greater than 0")
    return None if max_workers >= sys.maxsize else math.ceil(max_workers)
