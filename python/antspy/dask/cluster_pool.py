"""The pool on a cluster."""

from typing import Unpack

import distributed

from antspy.adaptive import Adaptive
from antspy.pool import Pool
from antspy.settings import Settings, complete, whole

from .carrier import Carrier

ELSEWHERE: tuple[str, ...] = ("initializer", "initargs", "finalizer")
"""Settings that would be those of threads that only wait. Workers of a cluster have Dask's plugins."""


class ClusterPool(Pool):
    """A pool whose tasks run on a Dask distributed cluster, at most `capacity` of them at the same time.

    Dask schedules, moves and repeats; this is an `antspy.Pool` in all else: who is admitted, who waits, what
    a full pool does, futures, groups, views, coroutines, `stats()`. Its workers are threads that send a task
    and wait for its outcome, so a task holds its place until the outcome is here. The functions and their
    arguments, results and exceptions are pickled. A task may run more than once, if a worker of the cluster
    is lost.

    Args:
        client: A `distributed.Client`, not an asynchronous one. It stays open when the pool is released.
        capacity: How many tasks are on the cluster at the same time; as of `Pool`.
        calls_per_worker: With it the pool scales the client's cluster, now and in `tune`, to one worker for
            each so many tasks; `None`: the cluster is left alone.
        settings: As of `Pool`. `initializer` and `finalizer` are refused: workers of a cluster have plugins
            (`client.register_plugin`).

    Raises:
        ValueError, TypeError: An argument makes no sense; the message names it and the value.
        RuntimeError: Called in a task of a cluster, which would hold up the tasks that it waits for.

    >>> from antspy.dask import ClusterPool
    >>> from distributed import Client, LocalCluster
    >>> with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
    ...     with Client(cluster) as client, ClusterPool(client, 8) as pool:
    ...         list(pool.map(pow, [2, 3], [5, 2]))
    [32, 9]
    """

    _tasks_travel = True  # to other processes: said for those who would have a task bring its pool with it

    def __init__(
        self,
        client: distributed.Client,
        capacity: int | Adaptive | None,
        *,
        calls_per_worker: int | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        _judge(client)
        for name in ELSEWHERE:
            if settings.get(name):
                raise ValueError(
                    f"{name} would be of threads that only wait: use a plugin, client.register_plugin()"
                )
        self._client = client
        self._calls_per_worker = _calls(client, calls_per_worker)
        self._refuse_unscalable(capacity)
        self._open(
            capacity,
            **complete(settings, type(self).__name__),
            function=None,
            via=Carrier(client),
        )
        self._scale(capacity)

    @property
    def client(self) -> distributed.Client:
        """The client that it was made with."""
        return self._client

    def tune(self, capacity: int | Adaptive | None) -> None:
        """Set the capacity, as `Pool.tune`; with `calls_per_worker` the number of the cluster's workers, too.

        Raises:
            ValueError: The pool scales its cluster, and `capacity` is no number to scale it by.
        """
        self._refuse_unscalable(capacity)
        super().tune(capacity)
        self._scale(capacity)

    def _refuse_unscalable(self, capacity: object) -> None:
        if self._calls_per_worker is not None and (capacity is None or isinstance(capacity, Adaptive)):
            raise ValueError(f"capacity must be a number with calls_per_worker, not {capacity!r}")

    def _scale(self, capacity: int | Adaptive | None) -> None:
        if self._calls_per_worker is not None and isinstance(capacity, int):
            self._client.cluster.scale(-(-capacity // self._calls_per_worker))


def _judge(client: object) -> None:
    if not isinstance(client, distributed.Client):
        raise TypeError(f"client must be a distributed.Client, not {client!r}")
    try:
        distributed.get_worker()
    except ValueError:
        pass
    else:
        raise RuntimeError(
            "a ClusterPool in a task of the cluster would hold up the tasks that it waits for; "
            "a task that needs others calls distributed.worker_client()"
        )
    # The first knows of the loop that runs here, the second of one that does not run yet, or elsewhere.
    if client.asynchronous or getattr(client, "_asynchronous", False):
        raise ValueError(f"client must not be asynchronous: {client!r}")
    if client.status in ("closing", "closed"):
        raise ValueError(f"client must be open, not {client.status}: {client!r}")


def _calls(client: distributed.Client, calls_per_worker: object) -> int | None:
    if calls_per_worker is None:
        return None
    calls = whole("calls_per_worker", calls_per_worker)
    if calls < 1:
        raise ValueError(f"calls_per_worker must be at least 1, not {calls}")
    if not hasattr(client.cluster, "scale"):
        raise ValueError(f"calls_per_worker needs a client of a cluster that can be scaled, not {client!r}")
    return calls
