"""`map(..., progress=True)` and `antspy.progress`: how far it has come, on stderr."""

import asyncio
import gc
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, repeat
from typing import Any

import antspy
import pytest
from antspy import MultiPool, Pool, PoolWithFunc, Stats, ThreadPoolExecutor
from antspy.progress import map_bar
from antspy.screen import INTERVAL
from support import LIMIT, Gate, Program, Thread, eventually, library, run_program

library("rich")
library("tqdm")

WITHOUT = {
    "rich": "",
    "tqdm": "import sys; sys.modules['rich'] = None\n",
    "plain": "import sys; sys.modules['rich'] = sys.modules['tqdm'] = None\n",
}
"""What a program begins with, so that it finds the first library of these."""
LAST = {"rich": r"square .* 20/20 ", "tqdm": r"square: 100%\|.*\| 20/20 ", "plain": r"square: 20/20 in "}

SQUARES = """
import antspy

def square(number):
    return number * number

with antspy.Pool(4) as pool:
    assert list(pool.map(square, range(20), progress=True)) == [number * number for number in range(20)]
    print("done", flush=True)
"""


def on_a_terminal(source: str) -> tuple[str, str]:
    """Run a program whose stderr is a terminal; return what is on stdout, and the text there."""
    out, shown = raw_on_a_terminal(source)
    return out, re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", shown.decode())


def raw_on_a_terminal(source: str) -> tuple[str, bytes]:
    """The same with all that the terminal is told."""
    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 80))
    environment = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, "-c", textwrap.dedent(source)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its, text=True, env=environment) as program:
        os.close(its)
        shown = b""
        try:
            while read := os.read(ours, 65536):
                shown += read
        except OSError:  # the program has ended
            pass
        os.close(ours)
        assert program.stdout is not None
        out = program.stdout.read()
    assert program.returncode == 0, shown
    return out, shown


def drawing() -> bool:
    return any(thread.name == "antspy-progress" for thread in threading.enumerate())


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What rich has written for each bar that is over, without the bar itself."""
    shown = (re.sub(r"[━╺╸]+", " ", line) for line in capsys.readouterr().err.splitlines())
    return [" ".join(line.split()[:2]) for line in shown if line.strip()]


@pytest.mark.parametrize("by", WITHOUT)
def test_a_bar_is_drawn_on_a_terminal(by: str) -> None:
    out, shown = on_a_terminal(WITHOUT[by] + SQUARES)
    assert out == "done\n"
    assert re.search(LAST[by], shown), shown


@pytest.mark.parametrize("by", WITHOUT)
def test_elsewhere_there_is_one_line_or_without_a_library_none(by: str) -> None:
    code, out, err = Program(WITHOUT[by] + SQUARES).end()
    assert (code, out) == (0, "done\n")
    found = err.splitlines()
    if by == "plain":
        assert found == []
    else:
        assert len(found) == 1
        assert re.search(LAST[by], found[0])


@pytest.mark.parametrize("by", WITHOUT)
def test_maps_within_a_map_and_in_two_threads_are_all_shown(by: str) -> None:
    program = """
        import antspy, threading, time
        from antspy.screen import INTERVAL

        both = threading.Barrier(2)

        def part(name):
            def step(number):
                if number == 1:
                    both.wait(20)
                time.sleep(3 * INTERVAL)
            assert list(antspy.map(step, range(2), progress=name)) == [None, None]

        threads = [threading.Thread(target=part, args=[name]) for name in ("left", "right")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _ in antspy.map(abs, range(2), progress="outer"):
            list(antspy.map(time.sleep, [3 * INTERVAL], progress="inner"))
    """
    shown = on_a_terminal(WITHOUT[by] + textwrap.dedent(program))[1]
    assert all(name in shown for name in ("left", "right", "outer", "inner")), shown
    assert not re.search("Error|Traceback", shown)


def test_what_the_program_prints_meanwhile_stays_where_it_belongs() -> None:
    program = """
        import antspy, time
        for number in antspy.map(abs, range(3), progress=True):
            print("number", number)
            time.sleep(0.15)
    """
    out, shown = on_a_terminal(program)
    assert out == "number 0\nnumber 1\nnumber 2\n"
    assert "number" not in shown


def kinds() -> Iterator[tuple[str, Callable[..., Any], Callable[[Any], Any]]]:
    """Each kind of pool with a `map`: its name, how it is made, and what has the method."""
    yield "pool", lambda: Pool(2), lambda pool: pool
    yield "view", lambda: Pool(2), lambda pool: pool.options(name="task")
    yield "subpool", lambda: Pool(2), lambda pool: pool.subpool(1)
    yield "multi", lambda: MultiPool(2, 2), lambda pool: pool
    yield "multi view", lambda: MultiPool(2, 2), lambda pool: pool.options(name="task")
    yield "executor's view", lambda: ThreadPoolExecutor(2), lambda pool: pool.options(name="task")
    yield "default", lambda: Pool(1), lambda pool: antspy


@pytest.mark.parametrize(("make", "target"), [it[1:] for it in kinds()], ids=[it[0] for it in kinds()])
def test_each_map_has_it(
    make: Callable[[], Any], target: Callable[[Any], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with make() as pool:
        found = target(pool).map(pow, [2, 3, 4], [5, 2], progress=True)
        assert list(found) == [32, 9]
        assert list(target(pool).map(abs, range(7), progress="numbers", chunksize=3)) == list(range(7))
    assert lines(capsys) == ["pow 2/2", "numbers 7/7"]
    assert not drawing()


@pytest.mark.parametrize("make", [lambda: Pool(2), lambda: MultiPool(2, 2)])
def test_amap_has_it(make: Callable[[], Any], capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with make() as pool:
            assert [it async for it in pool.amap(pow, [2, 3], [5, 2], progress=True)] == [32, 9]
            results = pool.amap(abs, count(), progress="abandoned")
            assert await anext(results) == 0
            await results.aclose()

    asyncio.run(main())
    eventually(lambda: not drawing())
    assert lines(capsys) == ["pow 2/2", "abandoned 1/?"]


def test_the_executors_map_keeps_its_signature() -> None:
    with ThreadPoolExecutor(2) as executor, pytest.raises(TypeError, match="progress"):
        executor.map(abs, [1], progress=True)  # type: ignore[call-arg]  # pyright: ignore


def test_the_total_is_the_shortest_length_until_the_end_tells(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    with Pool(4) as pool:
        for iterables, total in [
            (([1, 2, 3], repeat(2)), "3"),
            ((range(9), "abcd"), "4"),
            ((iter("ab"),), "?"),
        ]:
            results = pool.map(lambda *_: None, *iterables, progress="some", buffersize=1)
            next(results)
            results.close()  # type: ignore[attr-defined]
            assert lines(capsys) == [f"some 1/{total}"]
        assert list(pool.map(abs, iter([1, 2]), progress="unknown")) == [1, 2]
        assert list(pool.map(pow, range(5), iter([1, 2]), progress="shorter")) == [0, 1]
    assert lines(capsys) == ["unknown 2/2", "shorter 2/2"]


class Unmeasured:
    """Has a length that cannot be told."""

    def __init__(self, error: type[Exception]) -> None:
        self.error = error

    def __len__(self) -> int:
        raise self.error("length")

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))


@pytest.mark.parametrize("items", [range(10**20), Unmeasured(TypeError), Unmeasured(RuntimeError)])
def test_a_length_that_cannot_be_told_is_no_total(items: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with Pool(1) as pool:
        results = pool.map(abs, items, progress="some", buffersize=1)
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert lines(capsys) == ["some 1/?"]
        assert list(pool.map(pow, items, [1, 1], progress="two")) == [
            next(iter(items)),
            next(iter(items)) + 1,
        ]
    assert lines(capsys) == ["two 2/2"]


class Squarer:
    def __call__(self, number: int) -> int:
        return number * number


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (partial(partial(pow), 2), "pow"),
        ("abc".count, "str.count"),
        (Squarer(), "Squarer"),
        (Squarer, "Squarer"),
    ],
)
def test_a_map_is_called_as_its_function(fn: Any, name: str) -> None:
    assert map_bar(True, fn, []).description == name


@pytest.mark.parametrize("by", WITHOUT)
def test_what_a_description_would_do_to_the_terminal_is_written_out(by: str) -> None:
    program = r"""
        import antspy
        list(antspy.map(abs, [1], progress="red\x1b[31m\nline"))
    """
    shown = on_a_terminal(WITHOUT[by] + textwrap.dedent(program))[1]
    assert r"red\x1b[31m\nline" in shown


def test_results_are_counted_as_they_are_given_out(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    with Pool(8) as pool:
        results = pool.map(lambda number: gate() if number == 3 else number, range(8), progress="eight")
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        gate.wait_entered()
        results.close()  # type: ignore[attr-defined]
        assert lines(capsys) == ["eight 3/8"]
        gate.open()


def test_a_task_that_raises_ends_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Pool(1) as pool:
        results = pool.map(int, ["1", "2", "no number", "3"], progress=True)
        assert [next(results), next(results)] == [1, 2]
        with pytest.raises(ValueError, match="no number"):
            next(results)
        assert lines(capsys) == ["int 2/4"]
        assert list(results) == []


@pytest.mark.parametrize("asked", [0, 1])
def test_a_map_that_is_abandoned_ends_the_bar(asked: int, capsys: pytest.CaptureFixture[str]) -> None:
    with Pool(2) as pool:
        results = pool.map(abs, range(1000), progress=True)
        for _ in range(asked):
            next(results)
        assert drawing()
        del results
        gc.collect()
        eventually(lambda: not drawing())
        assert pool.stats().submitted <= 2 + asked
    assert lines(capsys) == [f"abs {asked}/1000"]


def test_a_map_that_cannot_begin_leaves_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    pool = Pool(1)
    pool.release(LIMIT)
    with pytest.raises(antspy.PoolClosedError):
        pool.map(abs, [1], progress=True)
    assert not drawing()
    assert lines(capsys) == []


@pytest.mark.parametrize("progress", [None, 1, b"bytes", ["a"]])
def test_a_bad_progress_is_named(progress: Any) -> None:
    with Pool(1) as pool:
        for method in (pool.map, pool.amap, pool.subpool(1).map):
            with pytest.raises(TypeError, match=r"progress must be a bool, or a str .*, not"):
                method(abs, [1], progress=progress)
        assert pool.stats().submitted == 0


@pytest.mark.parametrize("bad", [None, 3, Pool, object()])
def test_what_is_no_pool_is_named(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"pool must be a pool, with stats\(\), not"):
        antspy.progress(bad)
    with Pool(1) as pool:
        with pytest.raises(TypeError, match="not <SubPool"):
            antspy.progress(pool.subpool(1))  # type: ignore[arg-type]  # pyright: ignore
        with pytest.raises(TypeError, match="description must be a str, not 3"):
            antspy.progress(pool, 3)  # type: ignore[arg-type]  # pyright: ignore


def test_a_pools_progress_is_what_it_has_done_since(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    with Pool(2, queue_size=8, exception_handler=lambda error: None) as pool:
        pool.submit(abs, -1).result()
        pool.go(int, "no number")
        pool.wait()
        pool.go(gate)
        gate.wait_entered()
        with antspy.progress(pool, "work"):
            pool.go(int, "no number")
            pool.submit(abs, -1).result()
            pool.go(gate)
            pool.go(abs, -1)
            gate.wait_entered()
            eventually(lambda: pool.queued == 1)
        err = capsys.readouterr().err
        assert "work" in err
        assert " 2/5 " in err
        assert "1 failed, 2 running, 1 queued" in " ".join(err.split())
        gate.open()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pool(2),
        lambda: MultiPool(2, 2),
        lambda: PoolWithFunc(abs, 2),
        lambda: antspy.MultiPoolWithFunc(abs, 2, 2),
        lambda: ThreadPoolExecutor(2),
    ],
)
def test_each_kind_of_pool_is_shown(make: Callable[[], Any], capsys: pytest.CaptureFixture[str]) -> None:
    with make() as pool:
        hand_in = (
            pool.invoke if hasattr(pool, "invoke") else lambda number: pool.options(name="a").go(abs, number)
        )
        view = pool if isinstance(pool, antspy.MultiPoolWithFunc) else pool.options(name="a")
        with antspy.progress(pool), antspy.progress(view, "view"):
            for number in range(10):
                hand_in(number)
            pool.wait()
    assert lines(capsys) == ["tasks 10/10"]  # the other is a part of what this one shows


def test_the_numbers_are_read_ten_times_a_second_at_most() -> None:
    class Counted:
        times = 0

        def stats(self) -> Stats:
            self.times += 1
            return pool.stats()

    counted = Counted()
    with Pool(1) as pool, antspy.progress(counted):
        eventually(lambda: counted.times > 4)  # two before the first picture
        begun, before = time.monotonic(), counted.times
        eventually(lambda: counted.times - before > 5)
        times = counted.times - before
        assert times <= (time.monotonic() - begun) / INTERVAL + 1


def test_numbers_that_cannot_be_read_do_no_harm() -> None:
    class Broken:
        broken = False

        def stats(self) -> Stats:
            if self.broken:
                raise RuntimeError("broken")
            return pool.stats()

    broken = Broken()
    with Pool(1) as pool, antspy.progress(broken):
        broken.broken = True
    assert not drawing()


@pytest.mark.parametrize("loss", ["sys.stderr = None", "sys.stderr.close()", "os.close(2)"])
def test_a_program_whose_stderr_is_gone_goes_on(loss: str) -> None:
    program = f"""
        import os, sys, antspy
        {loss}
        assert list(antspy.map(abs, range(3), progress=True)) == [0, 1, 2]
        with antspy.Pool(2) as pool, antspy.progress(pool):
            pool.go(int)
        print("ran", flush=True)
        os._exit(0)
    """
    for by in WITHOUT.values():
        assert run_program(by + textwrap.dedent(program)) == "ran\n"


def test_a_terminal_that_cannot_show_a_bar_is_left_as_it_was() -> None:
    program = """
        import antspy, sys
        sys.stderr.reconfigure(encoding="ascii", errors="strict")
        before = sys.stdout, sys.stderr
        with antspy.Pool(1) as pool, antspy.progress(pool, "\N{SNOWMAN}"):
            with antspy.progress(pool, "later"):
                pass
            assert (sys.stdout, sys.stderr) == before
        assert (sys.stdout, sys.stderr) == before
    """
    raw = raw_on_a_terminal(program)[1]
    assert raw.count(b"\x1b[?25l") == raw.count(b"\x1b[?25h") == 1
    assert raw.index(b"\x1b[?25l") < raw.index(b"\x1b[?25h")


@pytest.mark.skipif(sys.platform != "linux", reason="where that many bytes of stack are refused")
def test_without_a_thread_to_draw_it_the_work_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with Pool(1) as pool:
        before = threading.stack_size(2**50)
        try:
            with pytest.raises(RuntimeError, match="can't start new thread"):
                threading.Thread(target=int).start()
            assert list(pool.map(abs, range(3), progress="without")) == [0, 1, 2]
            assert not drawing()
        finally:
            threading.stack_size(before)
        assert list(pool.map(abs, range(3), progress="with")) == [0, 1, 2]
    assert lines(capsys) == ["with 3/3"]


def test_a_program_with_a_live_display_of_its_own_does_not_fail() -> None:
    program = """
        import antspy
        from rich.live import Live
        from rich.console import Console
        with Live("own", console=Console(stderr=True)):
            assert list(antspy.map(abs, range(3), progress=True)) == [0, 1, 2]
    """
    on_a_terminal(program)


def test_a_program_may_end_in_the_midst() -> None:
    program = """
        import antspy, threading
        pool = antspy.Pool(2)
        results = pool.map(abs, range(100), progress="left")
        print(next(results), flush=True)
        context = antspy.progress(pool, "pool")
        context.__enter__()
    """
    code, out, err = Program(program).end()
    assert (code, out) == (0, "0\n")
    assert "left" in err
    assert "Error" not in err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_bars_of_its_own() -> None:
    program = """
        import antspy, os, warnings
        warnings.simplefilter("ignore")
        with antspy.Pool(2) as pool:
            results = pool.map(abs, range(100), progress="parent")
            next(results)
            if (child := os.fork()) == 0:
                results.close()
                assert list(pool.map(abs, range(3), progress="child")) == [0, 1, 2]
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            results.close()
    """
    code, _, err = Program(program).end()
    assert code == 0, err
    assert re.search(r"child .* 3/3 ", err)
    assert re.search(r"parent .* 1/100 ", err)


def test_a_child_that_is_forked_amid_a_picture_can_print() -> None:
    program = """
        import antspy, os, signal, sys, threading, warnings
        warnings.simplefilter("ignore")
        os.dup2(2, 1)  # stdout is the terminal, too
        drawing, over = threading.Event(), threading.Event()

        class Held(str):
            def __format__(self, spec):  # while rich has its locks
                drawing.set()
                over.wait(20)
                return str(self)

        with antspy.Pool(1) as pool, antspy.progress(pool, Held("held")):
            assert drawing.wait(20)
            if (child := os.fork()) == 0:
                signal.alarm(10)
                print("said by the child", flush=True)
                print("complained by the child", file=sys.stderr)
                assert list(antspy.map(abs, range(3), progress="bar of the child")) == [0, 1, 2]
                os._exit(0)
            ended = os.waitpid(child, 0)[1]
            over.set()
            print("said by the parent", flush=True)
        assert ended == 0, f"the child ended by {ended}"
    """
    shown = on_a_terminal(program)[1]
    for text in ("said by the child", "complained by the child", "bar of the child", "said by the parent"):
        assert text in shown


def test_nobody_who_asks_for_no_bar_pays_for_one() -> None:
    program = """
        import sys, antspy
        assert type(antspy.map(abs, [1])).__name__ == "_Map"
        list(antspy.map(abs, range(10), progress=False))
        with antspy.Pool(1) as pool:
            pool.go(int)
        assert not {"rich", "tqdm", "antspy.screen", "shutil"} & set(sys.modules)
    """
    run_program(program)


def test_many_maps_at_once_in_many_threads() -> None:
    def run(number: int) -> int:
        with Pool(2) as pool:
            return sum(pool.map(abs, range(number), progress=str(number)))

    threads = [Thread(run, number) for number in range(16)]
    assert [thread.result() for thread in threads] == [sum(range(number)) for number in range(16)]
    eventually(lambda: not drawing())
