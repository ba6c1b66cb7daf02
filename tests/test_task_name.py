"""A task's name stands in its stack, in a frame of antspy's own; a task without a name has no such frame."""

import gc
import io
import os
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from functools import partial
from types import FrameType, FunctionType
from typing import Any

import antspy.task
import pytest
from antspy import Pool, PoolWithFunc, TaskInterrupted
from support import LIMIT, Gate, Thread, eventually, run_program
from test_fork import FORK, QUIET


class Thing:
    pass


class Text(str):
    """A str that is not to be trusted."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __str__(self) -> str:
        raise AssertionError("converted")

    __repr__ = __str__
    __len__ = __str__  # type: ignore[assignment]
    isprintable = __str__  # type: ignore[assignment]


def names(frame: FrameType | None) -> list[str]:
    """Return what the frames of a stack are called, innermost first."""
    return [frame.f_code.co_name, *names(frame.f_back)] if frame else []


def my_stack() -> list[str]:
    return names(sys._getframe(1))


def call(function: Callable[[], Any]) -> Any:
    return function()


def test_the_stack_of_a_named_task_begins_with_its_name() -> None:
    with Pool(1) as pool:
        named = pool.options(name="fetch users")
        assert named.submit(my_stack).result(LIMIT) == ["fetch users"]
        assert named.submit(call, my_stack).result(LIMIT) == ["call", "fetch users"]
        seen: list[list[str]] = []
        named.go(lambda: seen.append(my_stack()))
        assert pool.wait(LIMIT)
        assert seen == [["<lambda>", "fetch users"]]


def test_the_stack_of_a_task_without_a_name_begins_with_its_function() -> None:
    with Pool(1) as pool:
        for view in (pool, pool.options(priority="high"), pool.options(name="x").options(name=None)):
            assert view.submit(call, my_stack).result(LIMIT) == ["call"]


def test_a_task_that_is_a_function_in_c_has_a_stack_too() -> None:
    lock = threading.Lock()
    with Pool(1) as pool, lock:
        ident = pool.submit(threading.get_ident).result(LIMIT)
        plain = pool.submit(lock.acquire)
        eventually(plain.running)
        assert names(sys._current_frames().get(ident)) == []
        lock.release()
        plain.result(LIMIT)
        pool.options(name="take the lock").go(lock.acquire)
        eventually(lambda: names(sys._current_frames().get(ident)) == ["take the lock"])
        lock.release()
        assert pool.wait(LIMIT)


def test_tasks_have_their_names_wherever_they_are_handed_in() -> None:
    with Pool(2) as pool:
        assert list(pool.options(name="mapped").map(lambda _: my_stack()[-1], range(3))) == ["mapped"] * 3
        with pool.options(name="grouped").group() as group:
            group.submit(my_stack)
        assert group.results() == [["grouped"]]
        assert pool.subpool(1).options(name="in a part").submit(my_stack).result(LIMIT) == ["in a part"]
    with PoolWithFunc(my_stack, 1) as with_func:
        assert with_func.options(name="held").submit().result(LIMIT) == ["held"]


def test_a_nested_task_and_one_that_its_caller_runs_have_their_names(gate: Gate) -> None:
    with Pool(1) as pool:

        def outer() -> list[str]:
            return pool.options(name="inner").submit(my_stack).result(LIMIT)

        assert pool.options(name="outer").submit(outer).result(LIMIT) == ["inner", "outer", "outer"]
    with Pool(1, overflow="caller_runs") as pool:
        pool.go(gate)
        gate.wait_entered()
        stack = pool.options(name="run here").submit(my_stack).result(LIMIT)
        assert stack[0] == "run here"
        assert sys._getframe().f_code.co_name in stack
        gate.open()


def test_arguments_and_results_pass_through() -> None:
    def collect(*args: object, **kwargs: object) -> object:
        return args, kwargs

    with Pool(1) as pool:
        submit = pool.options(name="collect").submit
        assert submit(collect).result(LIMIT) == ((), {})
        assert submit(collect, 1, 2).result(LIMIT) == ((1, 2), {})
        # The names of the frame's own variables, too.
        assert submit(collect, fn=1, args=2, kwargs=3).result(LIMIT) == (
            (),
            {"fn": 1, "args": 2, "kwargs": 3},
        )
        assert submit(int, "11", base=2).result(LIMIT) == 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("fetch users", "fetch users"),
        ("größer 🐜", "größer 🐜"),
        ("", "''"),
        ("\0", r"'\x00'"),
        ("two\nlines", r"'two\nlines'"),
        ("lone \udc80 surrogate", r"'lone \udc80 surrogate'"),
        ("\ud800" * 3, r"'\ud800\ud800\ud800'"),
        ("x" * 1_000_000, "x" * 197 + "..."),
        ("🐜" * 10_000, "🐜" * 197 + "..."),
        ("\x1b" * 10_000, "'" + r"\x1b" * 197 + "...'"),
        ("<module>", "<module>"),
        ("__exit__", "__exit__"),
    ],
    ids=range(12),
)
def test_any_str_is_a_name(name: str, shown: str) -> None:
    with Pool(1) as pool:
        view = pool.options(name=name)
        future = view.submit(my_stack)
        assert future.result(LIMIT) == [shown]
        assert future.name is name
        error = view.submit(int, "no number").exception(LIMIT)
        assert isinstance(error, ValueError)
        text = "".join(traceback.format_exception(error))
        assert f", in {shown}\n" in text


def test_of_a_subclass_of_str_only_the_text_counts() -> None:
    with Pool(1) as pool:
        for _ in range(2):
            assert pool.options(name=Text("x")).submit(my_stack).result(LIMIT) == ["x"]


def test_the_traceback_begins_with_the_task_and_shows_its_call() -> None:
    def fail() -> None:
        raise LookupError

    with Pool(1) as pool:
        error = pool.options(name="import").submit(fail).exception(LIMIT)
    assert isinstance(error, LookupError)
    assert error.__context__ is None
    outer, inner = traceback.extract_tb(error.__traceback__)
    assert (outer.name, outer.filename) == ("import", antspy.task.__file__)
    assert outer.line == "return fn(*args)"
    assert (inner.name, inner.line) == ("fail", "raise LookupError")


@pytest.mark.parametrize("how", ["go", "submit", "raises"])
def test_all_that_a_named_task_held_is_dropped_before_the_next_one_runs(how: str, gate: Gate) -> None:
    def task(thing: Thing, *, other: Thing) -> list[Thing]:
        if how == "raises":
            raise LookupError(thing)
        return [thing, other]

    thing, other = Thing(), Thing()
    gone = [weakref.ref(thing), weakref.ref(other)]
    with Pool(1, queue_size=10, exception_handler=lambda error: None) as pool:
        named = pool.options(name="holds things")
        pool.go(gate)
        gate.wait_entered()
        (named.go if how == "go" else named.submit)(task, thing, other=other)  # and nobody keeps the future
        del thing, other
        assert all(it() is not None for it in gone)
        after = pool.submit(lambda: [it() for it in gone])
        gate.open()
        assert after.result(LIMIT) == [None, None]


def test_an_exception_keeps_no_more_of_a_named_task_than_of_another() -> None:
    def kept(view: Any) -> list[bool]:
        thing, other = Thing(), Thing()
        things = [weakref.ref(thing), weakref.ref(other)]
        error = view.submit(int, thing, base=other).exception(LIMIT)
        del thing, other
        assert isinstance(error, TypeError)
        return [it() is not None for it in things]

    def kept_function(view: Any) -> bool:
        function = partial(int, "no number")
        gone = weakref.ref(function)
        error = view.submit(function).exception(LIMIT)
        del function
        assert isinstance(error, ValueError)
        return gone() is not None

    with Pool(1) as pool:
        for view in (pool, pool.options(name="import")):
            assert kept(view) == [False, False]
            assert not kept_function(view)


def test_frames_are_kept_for_a_limited_number_of_names() -> None:
    with Pool(1) as pool:
        for number in range(2500):
            assert pool.options(name=f"task {number}").submit(abs, -1).result(LIMIT) == 1
    limit = antspy.task._frame.cache_info().maxsize
    assert limit is not None
    gc.collect()
    functions = [it for it in gc.get_objects() if isinstance(it, FunctionType)]
    frames = [it for it in functions if it.__name__.startswith("task ")]
    assert 0 < len(frames) <= limit <= 2000


def test_views_of_one_name_share_their_frame() -> None:
    with Pool(1) as pool:
        code = [
            pool.options(name="".join(["sha", "red"])).submit(lambda: sys._getframe(1).f_code).result(LIMIT)
            for _ in range(2)
        ]
        assert code[0] is code[1]


def test_a_named_task_is_interrupted() -> None:
    spins = threading.Event()

    def spin() -> None:
        spins.set()
        while True:
            pass

    with Pool(1) as pool:
        future = pool.options(name="spin").submit(spin)
        assert spins.wait(LIMIT)
        assert future.interrupt()
        error = future.exception(LIMIT)
        assert type(error) is TaskInterrupted
        assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["spin", "spin"]
        assert pool.submit(abs, -1).result(LIMIT) == 1


def test_a_named_c_function_is_interrupted_when_it_has_returned() -> None:
    lock = threading.Lock()
    with Pool(1) as pool, lock:
        future = pool.options(name="take the lock").submit(lock.acquire)
        eventually(future.interrupt)
        lock.release()
        error = future.exception(LIMIT)
        assert type(error) is TaskInterrupted
        assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["take the lock"]
        assert lock.locked()
        assert pool.submit(sum, range(1000)).result(LIMIT) == 499500
        assert pool.stats().failed == 1


def test_a_name_is_written_to_any_stream() -> None:
    with Pool(1) as pool:
        error = pool.options(name="lone \udc80").submit(int, "no number").exception(LIMIT)
        strict = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
        traceback.print_exception(error, file=strict)
        strict.flush()


def test_a_named_view_works_in_a_forked_child() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    source = """
    def stack():
        return [frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._getframe())]
    pool = Pool(1)
    named = pool.options(name="fetch users")
    print(named.submit(stack).result())
    def child():
        print(named.submit(stack).result(10), pool.options(name="of the child").submit(stack).result(10))
    in_child(child)
    """
    lines = run_program(FORK + source, *QUIET).splitlines()
    assert lines == [
        "['stack', 'fetch users']",
        "['stack', 'fetch users'] ['stack', 'of the child']",
        "child 0",
    ]


def test_a_named_task_runs_while_the_program_ends() -> None:
    out = run_program("""
        import time
        from antspy import Pool
        def late():
            time.sleep(0.1)
            print("ran", flush=True)
        Pool(1).options(name="late").go(late)
    """)
    assert out == "ran\n"


def test_threads_may_make_names_at_the_same_time() -> None:
    def use(number: int) -> bool:
        names = [f"{turn} of {number % 2}" for turn in range(50)]
        return all(pool.options(name=name).submit(my_stack).result(LIMIT) == [name] for name in names)

    with Pool(4) as pool:
        users = [Thread(use, number) for number in range(4)]
        assert [user.result() for user in users] == [True] * 4
