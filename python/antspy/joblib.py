"""joblib's parallel calls on an antspy pool."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib import register_parallel_backend
from joblib.parallel import ThreadingBackend

from .pool import Pool

__all__ = ["register"]


class JoblibPool(Pool):
    """A pool with the methods of `multiprocessing.pool.ThreadPool` that joblib calls."""

    def apply_async(
        self,
        func: Callable[[], object],
        args: tuple[()],
        callback: Callable[[object], object],
        error_callback: Callable[[BaseException], object],
    ) -> object:
        def tell(future: Future[object]) -> None:
            # A task that was cancelled is one that joblib has given up. An error is the pool's (an
            # initializer failed): joblib's `func` returns what it raises.
            if not future.cancelled():
                error = future.exception()
                error_callback(error) if error else callback(future.result())

        future = self.submit(func)
        future.add_done_callback(tell)
        return future

    def close(self) -> None:
        self.release()

    def terminate(self) -> None:
        # Without a wait: after an error or a timeout joblib does not wait for tasks that still run.
        self.shutdown(wait=False, cancel_futures=True)


class AntspyBackend(ThreadingBackend):  # type: ignore[misc]  # joblib has no types
    """joblib's `ThreadingBackend`, with an antspy pool of `n_jobs` workers for its threads.

    The keywords of `parallel_config(backend="antspy", ...)` are those of `antspy.Pool`. A task that still
    runs after an error or a timeout is waited for when Python ends.
    """

    _pool: JoblibPool | None = None

    def _get_pool(self) -> Any:  # joblib's own type: `multiprocessing.pool.ThreadPool`
        if self._pool is None:
            # No limit here: joblib's `pre_dispatch` is one.
            self._pool = JoblibPool(self._n_jobs, queue_size=None, **self.backend_kwargs)
        return self._pool

    def get_nested_backend(self) -> Any:
        backend, n_jobs = super().get_nested_backend()
        if isinstance(backend, ThreadingBackend):
            backend = AntspyBackend(nesting_level=backend.nesting_level, **self.backend_kwargs)
        return backend, n_jobs


def register() -> None:
    """Make `backend="antspy"` known to joblib.

    >>> import joblib
    >>> from antspy.joblib import register
    >>> register()
    >>> with joblib.parallel_config(backend="antspy", n_jobs=2):
    ...     joblib.Parallel()(joblib.delayed(abs)(-number) for number in range(3))
    [0, 1, 2]
    """
    register_parallel_backend("antspy", AntspyBackend)
