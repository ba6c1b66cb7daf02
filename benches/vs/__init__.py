"""The peers: each does the same work as antspy, by one interface (`peer.py`).

ours.py            antspy
standard.py        concurrent.futures.ThreadPoolExecutor
thread_pool.py     multiprocessing.pool.ThreadPool
threads.py         a thread a task
simple_queue.py    a bare queue with threads: the floor of a pool
joblib_threads.py  joblib's threading backend
gevent_pool.py     greenlets in the place of threads
floor.py           a bare call
go_ants.py, ants/  ants, the Go pool, in a program of its own
"""
