"""`antspy.serve_stats`: who may open its socket, and what the document says."""

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import antspy
import pytest
from antspy import Pool, StatsServer, serve_stats
from support import LIMIT, Gate, Program, eventually, run_program

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
if hasattr(socket, "AF_UNIX"):
    from antspy.watch.client import Client, WatchError
    from antspy.watch.server import PATIENCE


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StatsServer]:
    with serve_stats(tmp_path / "stats") as server:
        yield server


def pool_of(server: StatsServer, name: str, **terms: Any) -> dict[str, Any]:
    document = Client(str(server.path)).ask(**terms)
    (found,) = [pool for pool in document["pools"] if pool["name"] == name]
    return dict(found)


class Waits:
    """What a task may be, as an object that is called."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __call__(self) -> None:
        self._gate()

    def method(self) -> None:
        self._gate()

    def __getattr__(self, name: str) -> Any:
        """Wait for what the task waits for, as a proxy might."""
        self._gate()


def test_the_document_has_the_numbers_of_each_pool(server: StatsServer, gate: Gate) -> None:
    def fail() -> None:
        raise ValueError

    with Pool(2, queue_size=3, thread_name_prefix="numbers", exception_handler=lambda error: None) as pool:
        pool.submit(abs, -1).result(LIMIT)
        pool.go(fail)
        assert pool.wait(LIMIT)
        for _ in range(5):
            pool.go(gate)
        gate.wait_entered()
        gate.wait_entered()
        seen = pool_of(server, "numbers")
        numbers = pool.stats()
        for name in ("capacity", "busy", "idle", "queued", "waiting", "submitted", "completed", "failed"):
            assert seen[name] == getattr(numbers, name), name
        assert (seen["capacity"], seen["busy"], seen["queued"], seen["failed"]) == (2, 2, 3, 1)
        assert (seen["closed"], seen["paused"]) == (False, False)
        assert sum(count for _, count in seen["run_time"]["buckets"]) == 2
        assert seen["queue_time"]["buckets"] == [list(bucket) for bucket in numbers.queue_time]
        pool.pause()
        assert pool_of(server, "numbers")["paused"]
        pool.resume()
        gate.open()


def test_the_document_says_which_process_it_is_of(server: StatsServer) -> None:
    document = Client(str(server.path)).ask()
    process = document["process"]
    assert (process["pid"], process["antspy"]) == (os.getpid(), antspy.__version__)
    assert abs(document["time"] - time.time()) < LIMIT
    assert "antspy-default" in [pool["name"] for pool in document["pools"]]


def test_a_pool_that_has_ended_is_not_shown(server: StatsServer, gate: Gate) -> None:
    pool = Pool(1, thread_name_prefix="ends")
    pool.go(gate)
    gate.wait_entered()
    pool.release()
    assert pool_of(server, "ends")["closed"]
    gate.open()
    pool.shutdown()
    with pytest.raises(ValueError, match="unpack"):
        pool_of(server, "ends")


def test_running_tasks_are_named(server: StatsServer, gate: Gate) -> None:
    def local() -> None:
        gate()

    waits = Waits(gate)
    with Pool(5, thread_name_prefix="named") as pool:
        for task in (local, waits, waits.method, partial(partial(gate, 1))):
            pool.go(task)
        pool.options(name="nightly job").go(gate)
        for _ in range(5):
            gate.wait_entered()
        shown = pool_of(server, "named")["tasks"]
        gate.open()
        assert pool.wait(LIMIT)
        after = pool_of(server, "named")["tasks"]
    own = f"{test_running_tasks_are_named.__name__}.<locals>.local"
    assert {task["name"] for task in shown} == {own, "Waits", "Waits.method", "Gate", "nightly job"}
    assert sorted(task["worker"] for task in shown) == [f"named_{number}" for number in range(5)]
    assert all(0 <= task["seconds"] < LIMIT and not task["at_least"] for task in shown)
    assert after == []


def test_those_that_run_for_longest_are_shown_first(server: StatsServer, gate: Gate) -> None:
    def oldest() -> float:
        return float(pool_of(server, "aged")["tasks"][0]["seconds"])

    def older_than(seconds: float) -> bool:
        return oldest() > seconds

    with Pool(3, thread_name_prefix="aged") as pool:
        for name in ("first", "second", "third"):
            pool.options(name=name).go(gate)
            gate.wait_entered()
            eventually(partial(older_than, oldest()))
        all_ = pool_of(server, "aged")["tasks"]
        two = pool_of(server, "aged", slowest=2)["tasks"]
        none = pool_of(server, "aged", slowest=0)["tasks"]
        gate.open()
    assert [task["name"] for task in all_] == ["first", "second", "third"]
    assert [task["name"] for task in two] == ["first", "second"]
    assert none == []


@pytest.mark.parametrize("chunksize", [1, 2])
def test_items_of_a_map_are_named_by_its_function(server: StatsServer, gate: Gate, chunksize: int) -> None:
    with Pool(2, thread_name_prefix="mapped") as pool:
        results = pool.map(gate, range(2 * chunksize), chunksize=chunksize)
        gate.wait_entered()
        gate.wait_entered()
        assert [task["name"] for task in pool_of(server, "mapped")["tasks"]] == ["Gate", "Gate"]
        gate.open()
        assert list(results) == list(range(2 * chunksize))


def test_the_task_in_the_midst_of_another_is_shown_and_then_the_other_again(server: StatsServer) -> None:
    inner, outer = Gate(), Gate()

    def first() -> None:
        pool.submit(second).result(LIMIT)
        outer()

    def second() -> None:
        inner()

    with Pool(1, thread_name_prefix="nested") as pool:
        pool.go(first)
        inner.wait_entered()
        (task,) = pool_of(server, "nested")["tasks"]
        assert task["name"].endswith("second")
        inner.open()
        outer.wait_entered()
        (task,) = pool_of(server, "nested")["tasks"]
        assert task["name"].endswith("first")
        outer.open()


def test_a_stack_shows_where_a_task_is(server: StatsServer, gate: Gate) -> None:
    lock = threading.Lock()

    def outer() -> None:
        inner()

    def inner() -> None:
        gate()

    lock.acquire()
    with Pool(2, thread_name_prefix="stacks") as pool:
        pool.go(lock.acquire, timeout=LIMIT)
        eventually(lambda: len(pool_of(server, "stacks")["tasks"]) == 1)
        pool.go(outer)
        gate.wait_entered()
        seen = {task["name"]: task["stack"] for task in pool_of(server, "stacks", stacks=True)["tasks"]}
        without = pool_of(server, "stacks")["tasks"]
        lock.release()
        gate.open()
    assert seen.pop("lock.acquire") == []
    (lines,) = seen.values()
    assert [line.rpartition(" in ")[2] for line in lines][:3] == ["outer", "inner", "__call__"]
    assert lines[0].startswith(f'File "{__file__}", line ')
    assert not any("stack" in task for task in without)


def test_a_task_that_began_before_anybody_watched_is_shown_by_its_stack(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    program = Program(f"""
        import antspy, json, threading
        started, end = threading.Event(), threading.Event()

        def early():
            started.set()
            end.wait(20)

        with antspy.Pool(3, thread_name_prefix="early") as pool:
            pool.go(early)
            started.wait(20)
            with antspy.serve_stats({str(path)!r}):
                from antspy.watch.client import Client
                for pools in Client({str(path)!r}).ask(stacks=True)["pools"]:
                    if pools["name"] == "early":
                        print(json.dumps(pools["tasks"]))
            end.set()
    """)
    code, out, err = program.end()
    assert code == 0, err
    (task,) = json.loads(out)
    assert (task["name"], task["at_least"]) == ("early", True)
    assert 0 <= task["seconds"] < LIMIT
    assert task["stack"][0].endswith("in early")


def test_a_callback_and_an_initializer_are_shown_by_their_stacks(server: StatsServer) -> None:
    def told(future: Any) -> None:
        in_callback()

    def prepare() -> None:
        in_initializer()

    in_callback, in_initializer = Gate(), Gate()
    with Pool(1, thread_name_prefix="aside", initializer=prepare) as pool:
        future = pool.submit(abs, -1)
        in_initializer.wait_entered()
        first = pool_of(server, "aside")["tasks"]
        future.add_done_callback(told)
        in_initializer.open()
        in_callback.wait_entered()
        second = pool_of(server, "aside")["tasks"]
        in_callback.open()
    assert [task["name"].rpartition(".")[2] for task in first + second] == ["prepare", "told"]
    assert not second[0]["at_least"]
    assert second[0]["seconds"] < LIMIT


def test_nobody_watches_any_more_once_all_servers_are_closed(tmp_path: Path, gate: Gate) -> None:
    with Pool(1, thread_name_prefix="unwatched") as pool:
        thread: Any = pool.submit(threading.current_thread).result()
        with serve_stats(tmp_path / "first") as first, serve_stats(tmp_path / "second"):
            first.close()
            first.close()
            pool.submit(abs, -1).result()
            before = thread.seat._look()
        assert before is not None
        pool.submit(gate)
        gate.wait_entered()
        seen = thread.seat._look()
        gate.open()
    assert seen is not None
    assert seen[0] is None, "the task has not said that it runs"


def test_a_look_keeps_nothing_of_a_task(server: StatsServer) -> None:
    import weakref

    class Argument:
        pass

    gate = Gate()

    def task(argument: Argument) -> None:
        gate()

    argument = Argument()
    alive = weakref.ref(argument)
    with Pool(1, thread_name_prefix="keeps") as pool:
        pool.go(task, argument)
        del argument
        gate.wait_entered()
        assert pool_of(server, "keeps", stacks=True)["tasks"]
        gate.open()
        assert pool.wait(LIMIT)
        eventually(lambda: alive() is None)


def test_only_its_owner_can_open_the_socket(server: StatsServer) -> None:
    mode = server.path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert os.listdir(server.path.parent) == ["stats"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user")
def test_another_user_is_refused_even_where_the_file_lets_him(server: StatsServer) -> None:
    server.path.chmod(0o777)
    for folder in (server.path.parent, *server.path.parent.parents[:-2]):
        folder.chmod(0o755)
    ask = f"""
        import os, socket
        os.setuid(USER)
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect({str(server.path)!r})
            try:
                asking.sendall(b"GET /stats HTTP/1.0\\r\\n\\r\\n")
                print(asking.recv(12))
            except (ConnectionResetError, BrokenPipeError):
                print(b"")
    """
    assert run_program(ask.replace("USER", "0")) == "b'HTTP/1.0 200'\n"
    assert run_program(ask.replace("USER", "65534")) == "b''\n"


def test_one_that_serves_already_is_not_replaced(server: StatsServer) -> None:
    with pytest.raises(FileExistsError, match="somebody serves on"):
        serve_stats(server.path)
    assert pool_of(server, "antspy-default")


def test_what_is_no_socket_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(FileExistsError, match="is no socket"):
        serve_stats(path)
    assert path.read_text() == "data"


def test_what_an_ended_process_has_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with serve_stats(path) as server:
        assert pool_of(server, "antspy-default")
    assert not path.exists()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (None, "path must be a path, not None"),
        (3, "path must be a path, not 3"),
        (b"/tmp/x", "path must be a str or a path of str, not b'/tmp/x'"),
    ],
)
def test_a_path_that_is_none_is_refused(path: Any, error: str) -> None:
    with pytest.raises(TypeError, match=error):
        serve_stats(path)


def test_where_no_socket_can_be_made_the_error_names_the_path(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere" / "stats")
    with pytest.raises(FileNotFoundError, match="path: no socket can be made there: No such file") as caught:
        serve_stats(missing)
    assert caught.value.filename == missing
    for name, reason in [("x" * 200, "AF_UNIX path too long"), ("a\0b", "embedded null")]:
        with pytest.raises(OSError, match=f"path: no socket can be made there: .*{reason}"):
            serve_stats(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_of_many_who_serve_at_once_in_one_place_one_does(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    barrier = threading.Barrier(8)
    served: list[StatsServer] = []
    refused: list[str] = []

    def serve() -> None:
        barrier.wait(LIMIT)
        try:
            served.append(serve_stats(path))
        except FileExistsError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=serve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (server,) = served
    with server:
        assert refused == [f"path: somebody serves on {str(path)!r} already"] * 7
        assert pool_of(server, "antspy-default")
    assert os.listdir(tmp_path) == []


def test_closed_twice_it_is_closed_and_another_may_serve(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    first = serve_stats(str(path))
    assert (first.closed, repr(first)) == (False, f"<StatsServer open path={str(path)!r}>")
    first.close()
    first.close()
    assert (first.closed, path.exists()) == (True, False)
    with serve_stats(path) as second:
        first.close()
        assert pool_of(second, "antspy-default")


@pytest.mark.parametrize(
    ("request_", "status", "answer"),
    [
        ("GET /stats?stacks=2", 400, "stacks must be 0 or 1, not '2'"),
        ("GET /stats?slowest=-1", 400, "slowest must be a whole number, at least 0, not '-1'"),
        ("GET /stats?fastest=1", 400, "unexpected parameter 'fastest'"),
        ("GET /", 404, "/ is not there; /stats is"),
        ("POST /stats", 501, None),
    ],
)
def test_a_request_that_makes_no_sense_is_told_why(
    server: StatsServer, request_: str, status: int, answer: str | None
) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(LIMIT)
        asking.connect(str(server.path))
        asking.sendall(f"{request_} HTTP/1.0\r\n\r\n".encode())
        told = b"".join(iter(lambda: asking.recv(65536), b"")).decode()
    assert told.split()[1] == str(status)
    if answer is not None:
        assert json.loads(told.partition("\r\n\r\n")[2]) == {"error": answer}


def test_a_client_that_goes_away_harms_nobody(server: StatsServer, capfd: pytest.CaptureFixture[str]) -> None:
    for sent in (b"", b"GET", b"GET /stats HTTP/1.0\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(server.path))
            asking.sendall(sent)
    assert pool_of(server, "antspy-default")
    assert capfd.readouterr().err == ""


def test_a_client_that_asks_for_nothing_does_not_hold_up_the_end(tmp_path: Path) -> None:
    server = serve_stats(tmp_path / "stats")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.connect(str(server.path))
        eventually(lambda: server._server._answered is not None)
        start = time.monotonic()
        server.close()
        assert time.monotonic() - start < PATIENCE / 2
        assert mute.recv(1) == b""


def test_the_client_says_why_it_has_no_document(tmp_path: Path) -> None:
    with pytest.raises(WatchError, match="nowhere: No such file or directory"):
        Client(str(tmp_path / "nowhere")).ask()
    path = tmp_path / "mute"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        with pytest.raises(WatchError, match=r"mute: no answer within 0\.05 s"):
            Client(str(path), timeout=0.05).ask()


def test_the_end_of_the_program_removes_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    code, _, err = Program(f"import antspy; antspy.serve_stats({str(path)!r})").end()
    assert (code, err, path.exists()) == (0, "", False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_does_not_serve_and_leaves_the_parents_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "stats")
    program = Program(f"""
        import antspy, os
        from antspy.watch.client import Client
        server = antspy.serve_stats({path!r})
        child = os.fork()
        if child == 0:
            assert server.closed
            with antspy.serve_stats({path!r} + "-child"):
                assert Client({path!r} + "-child").ask()["process"]["pid"] == os.getpid()
            os._exit(0) if not os.path.exists({path!r} + "-child") else os._exit(3)
        assert os.waitpid(child, 0)[1] == 0
        assert Client({path!r}).ask()["process"]["pid"] == os.getpid()
        if (child := os.fork()) == 0:
            raise SystemExit(0)  # with all that Python does at its end
        assert os.waitpid(child, 0)[1] == 0
        assert Client({path!r}).ask()["process"]["pid"] == os.getpid()
    """)
    code, _, err = program.end()
    assert code == 0, err


def test_tasks_end_as_ever_while_somebody_looks_all_the_time(server: StatsServer) -> None:
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            Client(str(server.path)).ask(stacks=True)

    ran: list[int] = []
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with Pool(8, queue_size=None, thread_name_prefix="busy") as pool:
            for number in range(5_000):
                pool.go(ran.append, number)
            assert [*pool.map(abs, range(2_000))] == [*range(2_000)]
    finally:
        over.set()
        watcher.join()
    assert sorted(ran) == [*range(5_000)]
