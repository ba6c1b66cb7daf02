"""What `import antspy` brings with it: nothing of event loops, until one is used."""

from support import run_program

HEAVY = "{'asyncio', 'ssl', 'socket', 'multiprocessing', 'http', 'json', 'rich'}"


def test_a_program_without_an_event_loop_does_not_import_asyncio() -> None:
    program = f"""
        import sys
        import antspy
        assert not {HEAVY} & set(sys.modules), "after the import"
        with antspy.Pool(2) as pool, antspy.WaitGroup(pool) as group:
            assert pool.submit(pow, 2, 3).result() == 8
            assert pool.submit(lambda: pool.submit(pow, 2, 3).result()).result() == 8
            assert list(pool.map(abs, [-1, -2])) == [1, 2]
            group.go(int)
            pool.go(int)
            assert pool.wait(10)
        with antspy.Pool(1) as pool:  # the worker runs itself what it waits for
            assert pool.submit(lambda: pool.submit(pow, 2, 3).result()).result() == 8
        with antspy.Pool(2) as pool, pool.group() as tasks:
            tasks.submit(pow, 2, 3)
        with antspy.ThreadPoolExecutor(2) as executor:
            assert executor.submit(pow, 2, 3).result() == 8
        antspy.go(int)
        assert antspy.wait(10)
        assert not {HEAVY} & set(sys.modules), "after use"
    """
    run_program(program)


def test_what_needs_it_imports_it() -> None:
    program = """
        import sys
        import antspy
        assert "asyncio" not in sys.modules
        assert issubclass(antspy.LoopFuture, sys.modules["asyncio"].Future)
        assert antspy.LoopFuture is antspy.LoopFuture
        try:
            antspy.nothing
        except AttributeError as error:
            assert "'antspy' has no attribute 'nothing'" in str(error)
        else:
            raise AssertionError
    """
    run_program(program)


def test_an_await_outside_of_an_event_loop_says_so() -> None:
    program = """
        import sys
        from antspy import Pool
        with Pool(1) as pool:
            async def main():
                await pool.submit(int)
            try:
                main().send(None)
            except RuntimeError as error:
                assert str(error) == "no running event loop", error
            else:
                raise AssertionError
    """
    run_program(program)
