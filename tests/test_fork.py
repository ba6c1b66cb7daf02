"""A forked child uses the pools it inherited as if they were its own; its parent notices nothing."""

import os
import sys
import textwrap
from pathlib import Path

import pytest
from support import Program, run_program

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.timeout(60),
]

# Python 3.12 and later warn of a fork in a program with threads.
QUIET = ("-W", "ignore::DeprecationWarning")

FORK = """
    import os, sys, threading, time, traceback, warnings
    import antspy
    from antspy import Pool, PoolWithFunc, WaitGroup

    def in_child(call):
        '''Run `call` in a child that ends as a program does, and say how it ended.'''
        sys.stdout.flush()
        child = os.fork()
        if child:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print("child", code, flush=True)
            return
        code = 0
        try:
            call()
        except SystemExit:
            raise
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.exit(code)
"""


def run(source: str) -> list[str]:
    return run_program(FORK + source, *QUIET).splitlines()


def test_a_child_uses_the_same_pool_and_ends_well() -> None:
    lines = run("""
    pool = Pool(2, thread_name_prefix="ant")
    pool.submit(int).result()
    def child():
        assert (pool.capacity, pool.running, pool.waiting, pool.queued) == (2, 0, 0, 0)
        print(pool.submit(lambda: threading.current_thread().name).result(timeout=10))
        print(list(pool.map(abs, [-1, -2, -3])))
    in_child(child)
    print(pool.running, pool.submit(abs, -7).result())
    """)
    assert lines == ["ant_0", "[1, 2, 3]", "child 0", "1 7"]


def test_a_child_that_uses_no_pool_ends_at_once() -> None:
    assert run("""
    pool = Pool(4, prealloc=True)
    in_child(lambda: None)
    print(pool.submit(abs, -7).result())
    """) == ["child 0", "7"]


def test_busy_workers_and_queued_tasks_stay_with_the_parent() -> None:
    lines = run("""
    pool = Pool(2, queue_size=None)
    gate = threading.Event()
    futures = [pool.submit(gate.wait, 20) for _ in range(2)]
    parent = os.getpid()
    futures += [pool.submit(lambda: os.getpid() == parent) for _ in range(3)]
    def child():
        assert (pool.running, pool.queued) == (0, 0)
        assert pool.wait(timeout=10)
        print(pool.submit(abs, -1).result(timeout=10))
        pool.shutdown()
    in_child(child)
    gate.set()
    print([future.result() for future in futures])
    """)
    assert lines == ["1", "child 0", "[True, True, True, True, True]"]


def test_a_child_waits_for_its_own_accepted_work_at_its_end() -> None:
    assert run("""
    pool = Pool(2)
    pool.submit(int).result()
    in_child(lambda: pool.go(lambda: (time.sleep(0.1), print("ran", flush=True))))
    """) == ["ran", "child 0"]


def test_the_default_pool_and_a_pool_with_func_work_in_a_child() -> None:
    assert run("""
    one = PoolWithFunc(abs, 2)
    antspy.submit(int).result(), one.submit(-1).result()
    def child():
        print(antspy.submit(abs, -1).result(timeout=10), one.submit(-2).result(timeout=10))
    in_child(child)
    """) == ["1 2", "child 0"]


def test_a_pool_that_was_closed_is_closed_in_the_child() -> None:
    lines = run("""
    pool = Pool(2)
    pool.submit(int).result()
    pool.shutdown()
    def child():
        try:
            pool.submit(int).result(timeout=10)
        except antspy.PoolClosedError:
            print("closed")
        pool.reboot()
        print(pool.submit(abs, -1).result(timeout=10))
    in_child(child)
    """)
    assert lines == ["closed", "1", "child 0"]


def test_a_pool_that_was_tuned_is_tuned_in_the_child() -> None:
    lines = run("""
    pool = Pool(2)
    pool.tune(5)
    in_child(lambda: print(pool.capacity))
    print(pool.capacity)
    """)
    assert lines == ["5", "child 0", "5"]


def test_a_future_that_was_pending_fails_in_the_child_with_a_clear_error() -> None:
    lines = run("""
    pool = Pool(1, queue_size=5)
    gate = threading.Event()
    running, queued = pool.submit(gate.wait, 20), pool.submit(int)
    done = Pool(1).submit(abs, -5)
    done.result()
    def child():
        print(done.result(timeout=5))
        for future in (running, queued):
            try:
                future.result(timeout=1)
            except TimeoutError:
                print("a timeout, which tells nothing")
            except antspy.PoolError as error:
                print("fork" in str(error))
    in_child(child)
    gate.set()
    print(running.result(), queued.result())
    """)
    assert lines == ["5", "True", "True", "child 0", "True 0"]


def test_a_fork_in_the_midst_of_submits_finds_a_pool_that_works() -> None:
    lines = run("""
    pool = Pool(4, queue_size=8)
    stop = threading.Event()
    def submit_many():
        while not stop.is_set():
            pool.submit(sum, (1, 2)).result()
            pool.go(int)
    threads = [threading.Thread(target=submit_many) for _ in range(3)]
    for thread in threads:
        thread.start()
    def child():
        assert [pool.submit(abs, -n).result(timeout=10) for n in range(50)] == list(range(50))
    for _ in range(20):
        in_child(child)
    stop.set()
    for thread in threads:
        thread.join()
    print(pool.submit(abs, -7).result())
    """)
    assert lines == ["child 0"] * 20 + ["7"]


def test_a_task_may_fork() -> None:
    lines = run("""
    pool = Pool(2)
    def task():
        child = os.fork()
        if child == 0:
            try:
                os._exit(pool.submit(abs, -5).result(timeout=10))
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(pool.submit(task).result(timeout=15), pool.submit(abs, -7).result())
    """)
    assert lines == ["5 7"]


def test_a_childs_child_uses_the_pool_too() -> None:
    assert run("""
    pool = Pool(2)
    pool.submit(int).result()
    def child():
        pool.submit(int).result(timeout=10)
        in_child(lambda: print(pool.submit(abs, -3).result(timeout=10), flush=True))
    in_child(child)
    """) == ["3", "child 0", "child 0"]


def test_a_dropped_pool_harms_no_child() -> None:
    assert run("""
    pool = Pool(2)
    pool.submit(int).result()
    def child():
        global pool
        del pool
        print(Pool(1).submit(abs, -1).result(timeout=10))
    in_child(child)
    """) == ["1", "child 0"]


def test_a_group_and_a_lock_of_the_parent_harm_no_child() -> None:
    assert run("""
    pool = Pool(2)
    group = WaitGroup(pool)
    group.go(int)
    group.wait()
    def child():
        group.go(print, "in the child", flush=True)
        assert group.wait(timeout=10)
    in_child(child)
    """) == ["in the child", "child 0"]


@pytest.mark.parametrize("end", ["", "pool.shutdown()"])
def test_processes_of_multiprocessing_use_an_inherited_pool(end: str) -> None:
    program = Program(
        f"""
        import multiprocessing
        from antspy import Pool
        pool = Pool(3)
        pool.submit(int).result()
        def child(queue):
            queue.put(sum(pool.map(abs, range(100))))
            {end}
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        processes = [context.Process(target=child, args=(queue,)) for _ in range(3)]
        for process in processes:
            process.start()
        print([queue.get(timeout=15) for _ in processes])
        for process in processes:
            process.join(15)
        print([process.exitcode for process in processes], pool.submit(abs, -7).result())
        """,
        *QUIET,
    )
    assert program.end() == (0, "[4950, 4950, 4950]\n[0, 0, 0] 7\n", "")


def test_a_spawned_process_makes_its_own_pool() -> None:
    code = "import antspy; print(antspy.submit(abs, -1).result())"
    lines = run(f"""
    import subprocess
    pool = Pool(2)
    pool.go(time.sleep, 0.1)
    print(subprocess.run([{sys.executable!r}, "-c", {code!r}], capture_output=True, text=True).stdout.strip())
    """)
    assert lines == ["1"]


def test_a_sub_pool_works_in_the_child_and_keeps_its_limit() -> None:
    lines = run("""
    pool = Pool(4)
    polite = pool.subpool(1)
    polite.tune(2)
    gate = threading.Event()
    futures = [polite.submit(gate.wait, 20) for _ in range(2)]
    def child():
        print(polite.capacity, polite.running, list(polite.map(abs, [-1, 2, -3])))
    in_child(child)
    gate.set()
    print([future.result() for future in futures])
    """)
    assert lines == ["2 0 [1, 2, 3]", "child 0", "[True, True]"]


def test_a_wait_group_helps_in_the_child_too() -> None:
    lines = run("""
    pool = Pool(1, queue_size=5)
    group = antspy.WaitGroup(pool)
    def task():
        group.go(int)
        return group.wait(10)
    print(pool.submit(task).result(20))
    in_child(lambda: print(pool.submit(task).result(20)))
    """)
    assert lines == ["True", "True", "child 0"]


def test_an_inherited_task_cannot_be_interrupted_in_the_child() -> None:
    lines = run("""
    pool = Pool(1)
    gate, started = threading.Event(), threading.Event()
    future = pool.submit(lambda: (started.set(), gate.wait(20)))
    started.wait(20)
    in_child(lambda: print(future.interrupt()))
    gate.set()
    print(future.result(20) is not None)
    """)
    assert lines == ["False", "child 0", "True"]


def test_a_fork_while_the_first_worker_is_about_to_sleep() -> None:
    # What it finds out then for the first time must not be half found in the child, for ever.
    program = """
    pool = Pool(1)
    pool.go(int)
    time.sleep(1e-4)
    def child():
        with Pool(1) as other:
            assert other.submit(int).result(timeout=10) == 0
    in_child(child)
    """
    for _ in range(10):
        assert run(program) == ["child 0"]


def test_a_pool_that_was_paused_is_paused_in_the_child() -> None:
    lines = run("""
    pool = Pool(1, queue_size=2)
    pool.pause()
    queued = pool.submit(abs, -2)
    def child():
        print(pool.paused, pool.queued)
        future = pool.submit(abs, -1)
        assert not pool.wait(0.05)
        print(future.done())
        pool.resume()
        print(future.result(timeout=10))
    in_child(child)
    pool.resume()
    print(queued.result(), pool.paused)
    in_child(lambda: print(pool.paused))
    """)
    assert lines == ["True 0", "False", "1", "child 0", "2 False", "False", "child 0"]


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_processes_that_multiprocessing_starts_afresh_make_their_own_pools(
    method: str, tmp_path: Path
) -> None:
    module = tmp_path / "children.py"
    module.write_text(
        textwrap.dedent("""
        import antspy
        pool = antspy.Pool(3)
        def child(queue):
            queue.put((sum(pool.map(abs, range(100))), antspy.submit(abs, -1).result()))
        """)
    )
    program = Program(
        f"""
        import multiprocessing, sys, time
        sys.path.insert(0, {str(tmp_path)!r})
        import children
        def main():
            children.pool.go(time.sleep, 0.1)
            context = multiprocessing.get_context({method!r})
            queue = context.Queue()
            processes = [context.Process(target=children.child, args=(queue,)) for _ in range(2)]
            for process in processes:
                process.start()
            print([queue.get(timeout=18) for _ in processes])
            for process in processes:
                process.join(15)
            print([process.exitcode for process in processes], children.pool.submit(abs, -7).result())
        if __name__ == "__main__":
            main()
        """,
        *QUIET,
    )
    assert program.end() == (0, "[(4950, 1), (4950, 1)]\n[0, 0] 7\n", "")


def test_a_server_that_forks_before_it_serves() -> None:
    # As gunicorn does: the parent makes the pool, each child serves with it, one that dies is replaced.
    lines = run("""
    import signal
    pool = Pool(2, queue_size=4)
    pool.submit(int).result()
    stop = threading.Event()
    waits, serves = os.pipe()
    mine = []
    def use():
        while not stop.is_set():
            mine.append(pool.submit(abs, -len(mine)))
            time.sleep(0.001)
    user = threading.Thread(target=use)
    user.start()
    def start(forever):
        child = os.fork()
        if child == 0:
            try:
                served = 0
                while forever or served < 50:
                    served += pool.submit(abs, -1).result(timeout=10)
                    if forever and served == 10:
                        os.write(serves, b".")
                pool.shutdown()
                os._exit(0)
            finally:
                os._exit(1)
        return child
    def ended(child):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    first, second = start(False), start(True)
    os.read(waits, 1)
    os.kill(second, signal.SIGKILL)
    print(ended(second), ended(start(False)), ended(first), flush=True)
    while len(mine) <= 10:
        time.sleep(0.001)
    stop.set()
    user.join()
    print([future.result(timeout=10) for future in mine] == list(range(len(mine))))
    """)
    assert lines == ["-9 0 0", "True"]


def test_a_child_with_many_workers_widens_its_own_table() -> None:
    # Where the kernel has such tables: 78 is PR_FUTEX_HASH, 2 asks for the number of places.
    lines = run("""
    import ctypes, resource
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    def places():
        return prctl(78, *map(ctypes.c_ulong, (2, 0, 0, 0))) if prctl else -1
    pool = Pool(1100, stack_size=65536)
    def many():
        gate = threading.Event()
        for _ in range(1100):
            pool.go(gate.wait, 30)
        while pool.busy < 1100:
            time.sleep(0.001)
        gate.set()
        pool.wait()
        return places()
    pool.submit(int).result()
    before = many()
    print(before)
    in_child(lambda: print(many()))
    """)
    if int(lines[0]) <= 0:
        pytest.skip("the kernel has no table for each process")
    assert lines == [lines[0], lines[0], "child 0"]
