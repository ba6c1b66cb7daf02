"""APScheduler: jobs run on an antspy pool."""

import threading
from datetime import UTC, datetime

from antspy import Pool
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler


class PoolExecutor(BasePoolExecutor):  # type: ignore[misc]  # APScheduler has no types
    """An executor for APScheduler on any pool."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)


def job(number: int) -> None:
    ran_on.append(threading.current_thread().name)
    if len(ran_on) == 10:
        all_ran.set()


ran_on: list[str] = []
all_ran = threading.Event()
# The queue has no limit: APScheduler must not be kept waiting in `submit`, where it holds a lock.
pool = Pool(4, queue_size=None, thread_name_prefix="ant")
scheduler = BackgroundScheduler(executors={"default": PoolExecutor(pool)}, timezone=UTC)
for number in range(10):
    scheduler.add_job(job, "date", run_date=datetime.now(UTC), args=[number], misfire_grace_time=None)
scheduler.start()
assert all_ran.wait(10)
scheduler.shutdown()  # shuts the pool down, too
print(sorted(set(ran_on)), pool)
assert pool.closed
