"""Programs with event loops: Ctrl-C, forks, ends while tasks stand in line. Each is a program of its own."""

import sys
import time

import pytest
from support import Program, run_program

pytestmark = pytest.mark.timeout(60)

QUIET = ("-W", "ignore:This process:DeprecationWarning")  # 3.12 and later warn of every fork beside threads


@pytest.mark.parametrize("runner", ["asyncio.run", "loop.run_until_complete"])
@pytest.mark.parametrize("way", ["arun", "asubmit", "amap"])
def test_ctrl_c_ends_a_gather_at_once(runner: str, way: str) -> None:
    program = Program(f"""
        import asyncio, threading
        from antspy import Pool

        end = threading.Event()
        pool = Pool(2)

        async def asubmit():
            return await (await pool.asubmit(end.wait, 20))

        async def amap():
            async for _ in pool.amap(end.wait, [20] * 100):
                pass

        async def main():
            ways = {{"arun": lambda: pool.arun(end.wait, 20), "asubmit": asubmit, "amap": amap}}
            many = asyncio.gather(*(ways["{way}"]() for _ in range(100)))
            while not pool.waiting:
                await asyncio.sleep(0)
            print("ready", flush=True)
            await many

        async def cancel_all():
            tasks = asyncio.all_tasks() - {{asyncio.current_task()}}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        loop = asyncio.new_event_loop()
        try:
            {runner}(main())
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        if not "{runner}".startswith("asyncio"):
            loop.run_until_complete(cancel_all())
        loop.close()  # what still stands in line for it leaves
        end.set()
        pool.shutdown()
        stats = pool.stats()
        assert stats.submitted == stats.completed + stats.cancelled, stats
        assert stats.waiting == 0 and stats.completed < 10, stats
    """)
    program.wait_line("ready")
    start = time.monotonic()
    program.interrupt()
    program.wait_line("interrupted")
    assert time.monotonic() - start < 10
    code, out, err = program.end()
    assert (code, out) == (0, ""), err


def test_a_forked_child_has_loops_and_lines_of_its_own() -> None:
    out = run_program(
        """
        import asyncio, gc, os, threading
        from antspy import Pool, PoolError

        end = threading.Event()
        pool = Pool(1)
        sub = pool.subpool(1)

        async def child(future):
            assert await pool.arun(abs, -1) == 1
            assert await (await sub.asubmit(abs, -2)) == 2
            assert await asyncio.gather(*(pool.arun(abs, -n) for n in range(100))) == list(range(100))
            try:
                await future
            except PoolError as error:
                assert "before this process was forked" in str(error)
            await pool.arelease()

        def fork(*inherited):
            pid = os.fork()
            if pid:
                assert os.waitpid(pid, 0)[1] == 0
                return
            gc.collect()
            del inherited
            asyncio.run(child(running))
            gc.collect()
            os._exit(0)

        async def main():
            global running
            running = await pool.asubmit(end.wait, 20)
            waiting = [pool.arun(abs, -n) for n in range(10)] + [sub.arun(abs, -n) for n in range(10, 20)]
            submitting = [asyncio.create_task(pool.options(deadline=100).asubmit(abs, -n)) for n in range(3)]
            await asyncio.sleep(0)
            assert (pool.waiting, sub.waiting) == (14, 9)
            fork(waiting, submitting)
            assert (pool.waiting, sub.waiting) == (14, 9)
            end.set()
            assert await asyncio.gather(*waiting) == list(range(20))
            assert [await (await task) for task in submitting] == [0, 1, 2]

        asyncio.run(main())
        print("parent")
        """,
        *QUIET,
    )
    assert out == "parent\n"


def test_a_child_that_drops_what_stood_in_line_ends_well() -> None:
    out = run_program(
        """
        import asyncio, gc, os, sys, threading
        from antspy import Pool

        end = threading.Event()
        pool = Pool(1)
        loop = asyncio.new_event_loop()

        async def main():
            pool.go(end.wait, 20)
            targets = [pool, pool.subpool(1)]
            return [targets[n % 2].arun(abs, -n) for n in range(20)]

        waiting = loop.run_until_complete(main())
        pid = os.fork()
        if not pid:
            for future in waiting:
                future.cancel()
            waiting.clear()
            gc.collect()
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        end.set()
        assert loop.run_until_complete(asyncio.gather(*waiting)) == list(range(20))
        loop.close()
        print("parent")
        """,
        *QUIET,
    )
    assert out == "parent\n"


def test_a_program_ends_while_tasks_stand_in_line_for_a_loop_that_stands_still() -> None:
    out = run_program("""
        import asyncio, threading, time
        from antspy import Pool

        pool = Pool(1, queue_size=1)
        sub = pool.subpool(1)
        started = threading.Event()

        def task():
            started.set()
            time.sleep(0.1)
            print("ran", flush=True)

        async def main():
            pool.go(task)
            started.wait(20)
            sub.arun(print, "accepted", flush=True)
            return [
                target.arun(print, "never")
                for target in (pool, sub, pool.options(deadline=1000), sub.options(timeout=1000))
                for _ in range(10)
            ]

        loop = asyncio.new_event_loop()
        waiting = loop.run_until_complete(main())
        assert pool.waiting + sub.waiting == 40
        loop.close()
    """)
    assert out == "ran\naccepted\n"


@pytest.mark.parametrize("end", ["", "raise SystemExit", "1 / 0"])
def test_a_program_ends_whose_coroutines_never_will(end: str) -> None:
    program = Program(f"""
        import asyncio, threading
        from antspy import Pool

        pool = Pool(1)
        gate = threading.Event()

        async def submit():
            await (await pool.asubmit(print, "never"))

        async def main():
            pool.go(gate.wait, 0.1)
            keep = [asyncio.create_task(submit()) for _ in range(10)]
            keep += [pool.arun(print, "never") for _ in range(10)]
            await asyncio.sleep(0)
            assert pool.waiting == 20
            print("ready", flush=True)
            {end or "pass"}
            return keep

        keep = asyncio.new_event_loop().run_until_complete(main())
    """)
    program.wait_line("ready")
    code, out, err = program.end()
    assert (code, out) == (1 if "/" in end else 0, ""), err
    assert "panicked" not in err, err


def test_a_program_ends_while_a_daemons_loop_is_told_of_much() -> None:
    for _ in range(5):
        code, out, err = Program("""
            import asyncio, threading, time
            from antspy import Pool

            pool = Pool(4, queue_size=100)
            begun = threading.Event()

            async def main():
                while True:
                    many = [pool.arun(abs, -1) for _ in range(50)]
                    await asyncio.gather(*many, return_exceptions=True)
                    begun.set()

            threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
            assert begun.wait(20)
            time.sleep(0.01)
            print("ended", flush=True)
        """).end()
        assert (code, out) == (0, "ended\n"), err


def test_the_end_of_a_run_waits_for_the_default_executor() -> None:
    out = run_program("""
        import asyncio, time
        import antspy

        async def main():
            loop = asyncio.get_running_loop()
            loop.set_default_executor(antspy.ThreadPoolExecutor())
            await loop.run_in_executor(None, time.sleep, 0)
            loop.run_in_executor(None, lambda: (time.sleep(0.1), print("ran", flush=True)))
            await asyncio.sleep(0.02)

        asyncio.run(main())
        print("over")
    """)
    assert out == "ran\nover\n"


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows")
def test_ctrl_c_ends_a_gather_in_uvloop() -> None:
    pytest.importorskip("uvloop")
    program = Program("""
        import asyncio, threading, uvloop
        from antspy import Pool

        end = threading.Event()
        pool = Pool(2)

        async def main():
            many = asyncio.gather(*(pool.arun(end.wait, 20) for _ in range(1000)))
            await asyncio.sleep(0)
            print("ready", flush=True)
            await many

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(main())
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        assert pool.waiting == 0
        end.set()
    """)
    program.wait_line("ready")
    program.interrupt()
    program.wait_line("interrupted")
    code, out, err = program.end()
    assert (code, out, err) == (0, "", "")
