"""The end of a program: clean, whatever its pools are doing. Each test is a program of its own."""

import re
import signal
import time

import pytest
from support import Program, run_program

pytestmark = pytest.mark.timeout(60)


def test_a_program_with_idle_workers_ends_at_once() -> None:
    start = time.monotonic()
    run_program("""
        from antspy import Pool
        pool = Pool(4, prealloc=True, expiry=None)
        assert pool.submit(abs, -1).result() == 1
    """)
    assert time.monotonic() - start < 5


def test_a_program_that_never_used_a_pool_ends() -> None:
    run_program("import antspy; antspy.Pool(3)")


def test_what_was_accepted_runs_before_the_program_ends() -> None:
    out = run_program("""
        import time
        from antspy import Pool
        pool = Pool(2, queue_size=None)
        for number in range(10):
            pool.go(lambda number: (time.sleep(0.02), print(f"{number}\\n", end="", flush=True)), number)
    """)
    assert sorted(map(int, out.split())) == list(range(10))


def test_what_a_pool_nobody_refers_to_had_accepted_runs_too() -> None:
    out = run_program("""
        import time
        from antspy import Pool
        def start():
            pool = Pool(1, queue_size=None)
            for number in range(5):
                pool.submit(lambda number=number: (time.sleep(0.02), print(number, flush=True)))
        start()
    """)
    assert out.split() == list("01234")


def test_the_default_pools_tasks_run_before_the_program_ends() -> None:
    out = run_program("""
        import time, antspy
        antspy.go(lambda: (time.sleep(0.1), print("ran", flush=True)))
    """)
    assert out == "ran\n"


def test_a_task_may_still_import_and_start_threads_during_the_drain() -> None:
    out = run_program("""
        import time
        from antspy import Pool
        pool = Pool(1)
        def task():
            time.sleep(0.1)
            import decimal
            print(decimal.Decimal(1), flush=True)
        pool.go(task)
    """)
    assert out == "1\n"


def test_a_task_that_submits_during_the_drain_is_refused() -> None:
    out = run_program("""
        import time
        from antspy import Pool, PoolClosedError
        pool = Pool(2)
        def task():
            time.sleep(0.2)
            for submit in (pool.submit, Pool(1).submit):
                try:
                    submit(print, "accepted")
                except PoolClosedError:
                    print("refused", flush=True)
        pool.go(task)
    """)
    assert out == "refused\nrefused\n"


def test_blocked_submitters_are_sent_away_at_the_end() -> None:
    out = run_program("""
        import threading, time
        from antspy import Pool, PoolClosedError
        pool = Pool(1)
        pool.go(time.sleep, 0.3)
        def submit():
            try:
                pool.submit(print, "accepted")
            except PoolClosedError:
                print("refused", flush=True)
        threading.Thread(target=submit).start()
        while not pool.waiting:
            time.sleep(0.001)
    """)
    assert out == "refused\n"


def test_sys_exit_in_a_task_is_the_tasks_exception_and_ends_nothing() -> None:
    out = run_program("""
        import sys
        from antspy import Pool
        seen = []
        with Pool(1, exception_handler=seen.append) as pool:
            error = pool.submit(sys.exit, 3).exception()
            pool.go(sys.exit, 4)
            pool.wait()
            print(repr(error), seen, pool.submit(abs, -1).result())
    """)
    assert out == "SystemExit(3) [SystemExit(4)] 1\n"


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_the_programs_own(code: int) -> None:
    program = Program(f"""
        import sys, time
        from antspy import Pool
        pool = Pool(2)
        pool.go(time.sleep, 0.1)
        sys.exit({code})
    """)
    assert program.end() == (code, "", "")


def test_an_uncaught_exception_ends_the_program_as_ever() -> None:
    program = Program("""
        import time
        from antspy import Pool
        pool = Pool(2)
        pool.go(time.sleep, 0.1)
        raise LookupError("the program's own")
    """)
    code, out, err = program.end()
    assert (code, out) == (1, "")
    assert err.endswith("LookupError: the program's own\n")


def test_os_exit_in_a_task_ends_the_program_with_its_code() -> None:
    program = Program("import os, antspy; antspy.submit(os._exit, 5).result()")
    assert program.end() == (5, "", "")


@pytest.mark.parametrize("call", ["pool.submit(sum, range(100)).result()", "pool.go(time.sleep, 0.001)"])
def test_a_daemon_thread_that_submits_does_not_stop_the_end(call: str) -> None:
    program = Program(f"""
        import threading, time
        from antspy import Pool, PoolClosedError
        pool = Pool(8)
        def loop():
            try:
                while True:
                    {call}
            except PoolClosedError:
                # Printing it would hold a lock that the end of Python wants.
                threading.Event().wait()
        threading.Thread(target=loop, daemon=True).start()
        time.sleep(0.2)
    """)
    code, out, err = program.end()
    assert (code, out) == (0, ""), err


INTERRUPTED = """
    import os, threading, time
    from antspy import Pool
    locked = threading.Lock()
    locked.acquire()
    end = time.monotonic() + 30
    def spin():
        while time.monotonic() < end:
            pass
    def switch():
        while time.monotonic() < end:
            time.sleep(0.0001)
    pool = Pool(5)
    def tell():
        while not pool.closed:
            time.sleep(0.001)
        time.sleep({delay})
        os.write(1, b"draining\\n")  # a worker in print() holds a lock that the end of Python wants
    for _ in range(3):
        pool.go({task})
    pool.options(name="named").submit({task})
    pool.go(tell)
"""


@pytest.mark.parametrize("round_", range(5))
@pytest.mark.parametrize("task", ["lambda: time.sleep(30)", "spin", "switch", "locked.acquire"])
def test_ctrl_c_during_the_drain_ends_a_program_with_busy_workers(task: str, round_: int) -> None:
    program = Program(INTERRUPTED.format(task=task, delay=0.01 * round_))
    program.wait_line("draining")
    program.interrupt()
    start = time.monotonic()
    code, out, err = program.end()
    # Neither a hang nor an abort. That the exception of the drain is shown is Python's own doing.
    assert time.monotonic() - start < 5
    assert code in (0, 1, -signal.SIGINT), err
    assert out == ""
    assert "KeyboardInterrupt" in err
    assert not re.search("abort|panic|fatal|rust", err, re.IGNORECASE), err


def test_ctrl_c_in_the_main_program_lets_accepted_work_run() -> None:
    program = Program("""
        import threading, time
        from antspy import Pool
        pool = Pool(1, queue_size=None)
        for number in range(3):
            pool.go(lambda number: (time.sleep(0.1), print(number, flush=True)), number)
        print("busy", flush=True)
        # In steps: a signal that comes just before a sleep begins is only seen when the sleep is over.
        while True:
            time.sleep(0.01)
    """)
    program.wait_line("busy")
    program.interrupt()
    code, out, err = program.end()
    assert code == -signal.SIGINT
    assert out.split() == list("012")
    assert err.endswith("KeyboardInterrupt\n")


def test_hundred_pools_end_together() -> None:
    out = run_program("""
        import time
        from antspy import Pool
        pools = [Pool(2) for _ in range(100)]
        for pool in pools:
            pool.go(time.sleep, 0.2)
            pool.go(print, "x", end="", flush=True)
    """)
    assert out == "x" * 100


def test_python_without_cleanup_of_its_threads_ends_too() -> None:
    # atexit runs after the drain: nothing may be left to do by then, and using a pool is refused.
    out = run_program("""
        import atexit
        from antspy import Pool, PoolClosedError
        pool = Pool(2)
        pool.submit(int).result()
        @atexit.register
        def late():
            try:
                pool.submit(int)
            except PoolClosedError:
                print("closed", pool.running)
    """)
    assert out == "closed 0\n"


DESTRUCTORS = {
    "an argument": "pool.go(lambda it: None, Late())",
    "an argument of a future's task": "pool.submit(lambda it: None, Late())",
    "a keyword argument": "pool.go(lambda it: None, it=Late())",
    "a result": "pool.go(Late)",
    "a future's result": "pool.submit(Late)",
    "an exception": "pool.go(fail)",
    "a future's exception": "pool.submit(fail)",
    "an item of a map": "pool.map(lambda it: None, [Late()])",
    "what a callback returns": "pool.submit(int).add_done_callback(lambda future: Late())",
    "a thread local": "pool.go(lambda: setattr(local, 'late', Late()))",
}
"""What a worker drops, by a task that makes it do so."""


@pytest.mark.parametrize("name", DESTRUCTORS)
def test_ctrl_c_during_the_drain_finds_workers_in_destructors(name: str) -> None:
    # Up to 3.13.7 the interpreter unwinds such a worker's stack: through the frames that drop the object.
    program = Program(f"""
        import os, sys, threading, time
        from antspy import Pool
        end = time.monotonic() + 30
        main = threading.get_ident()
        local = threading.local()
        began = threading.Event()
        class Late:
            def __del__(self):
                if threading.get_ident() != main:
                    began.set()
                    while time.monotonic() < end:
                        pass
        def fail():
            raise LookupError(Late())
        class Slow:  # ends with the interpreter, and lets the workers meet that
            def __del__(self, clock=time.monotonic, sleep=time.sleep):
                end = clock() + 0.05
                while clock() < end:
                    sleep(0.001)
        sys.slow = Slow()
        pool = Pool(3, exception_handler=lambda error: None)
        def tell():
            while not (pool.closed and began.is_set()):
                time.sleep(0.001)
            os.write(1, b"draining\\n")
        pool.go(tell)
        {DESTRUCTORS[name]}
        {"" if name == "a thread local" else "began.wait()"}
    """)
    program.wait_line("draining")
    program.interrupt()
    code, out, err = program.end()
    assert (code in (0, 1, -signal.SIGINT), out) == (True, ""), err
    assert not re.search("fatal|abort|panicked", err, re.IGNORECASE), err
