"""A debugger stops in tasks."""

from pathlib import Path

from script_support import lines, run, write


def test_a_debugger_stops_at_a_breakpoint_in_a_task(tmp_path: Path) -> None:
    program = write(
        tmp_path,
        """
        import bdb, threading
        from antspy import Pool

        class Debugger(bdb.Bdb):
            def user_line(self, frame):
                if self.break_here(frame):
                    names = [it.f_code.co_name for it, _ in self.get_stack(frame, None)[0]]
                    print(threading.current_thread().name, *names, frame.f_locals, sep=", ")
                    self.set_next(frame)
                elif frame.f_code.co_name == "fetch":
                    print("then", frame.f_locals)
                    self.set_continue()
                else:
                    self.set_continue()

        def fetch(number):
            double = number * 2  # stops
            return double + 1

        debugger = Debugger()
        debugger.reset()
        debugger.set_break(__file__, LINE)
        threading.settrace(debugger.trace_dispatch)
        with Pool(1, thread_name_prefix="ant") as pool:
            print(pool.submit(fetch, 1).result())
            print(pool.options(name="fetch users").submit(fetch, 2).result())
        threading.settrace(None)
        """,
    )
    (line,) = lines(program, "stops")
    program.write_text(program.read_text().replace("LINE", str(line)))
    assert run(tmp_path, "program.py").splitlines() == [
        "ant_0, fetch, {'number': 1}",
        "then {'number': 1, 'double': 2}",
        "3",
        "ant_0, fetch users, fetch, {'number': 2}",
        "then {'number': 2, 'double': 4}",
        "5",
    ]


def test_pdb_stops_in_a_task_and_changes_what_it_does(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        from antspy import Pool

        def fetch(number):
            breakpoint()
            return number + 1

        with Pool(1) as pool:
            print("result", pool.options(name="fetch users").submit(fetch, 1).result())
            print("and then", pool.submit(abs, -1).result())
        """,
    )
    out = run(tmp_path, "program.py", stdin="where\nnumber = 41\nup\np fn.__name__\ncontinue\n")
    assert "task.py(" in out
    assert "fetch users()" in out
    assert "'fetch'" in out
    assert out.endswith("result 42\nand then 1\n")
