"""`antspy top --web`: what it serves, to whom, and what it says of a process."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from antspy import Pool, serve_stats
from support import LIMIT, Gate, eventually, threads

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
if hasattr(socket, "AF_UNIX"):
    from antspy.watch.client import Client, WatchError
    from antspy.watch.options import Options
    from antspy.watch.web import history
    from antspy.watch.web import server as web
    from antspy.watch.web.history import FIELDS, MINUTES, ROWS, History

NAME = "<img src=x onerror=alert(1)>"
FILES = ["/", "/page.css", "/page.js", "/plot.js", "/icon.svg"]


@contextmanager
def serving(path: Path, host: str = "127.0.0.1", **terms: Any) -> Iterator["web.WebServer"]:
    """Serve the page of what is watched at `path`, in this process."""
    terms = {"interval": 0.05, "web": 0, **terms}
    options, client = Options(str(path), host=host, **terms), Client(str(path))
    with History(options, client) as seen, web.WebServer(options, client, seen) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(tmp_path: Path) -> Iterator["web.WebServer"]:
    with serve_stats(tmp_path / "stats"), serving(tmp_path / "stats") as server:
        yield server


def request(
    server: "web.WebServer", target: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.host, server.server_port, timeout=LIMIT)
    try:
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def get(server: "web.WebServer", target: str) -> dict[str, Any]:
    status, _, body = request(server, target)
    assert status == 200, body
    return dict(json.loads(body))


@pytest.mark.parametrize("path", FILES)
def test_the_page_is_of_its_own_files_and_may_use_no_others(server: "web.WebServer", path: str) -> None:
    status, headers, body = request(server, path)
    assert status == 200
    assert body
    assert int(headers["Content-Length"]) == len(body)
    allowed = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
    assert allowed["default-src"] == "'none'"
    sources = {name for names in allowed.values() for name in names.split()}
    assert sources == {"'none'", "'self'", "'script'"}
    assert not [name for name in headers if name.startswith("Access-Control")]
    used = set(re.findall(r"""(?:src|href)="([^"]*)"|from "([^"]*)\"""", body.decode()))
    assert {one or other for one, other in used} <= set(FILES)
    assert b"innerHTML" not in body


def pool_of(server: "web.WebServer", name: str) -> dict[str, Any]:
    (found,) = [pool for pool in get(server, "/state")["pools"] if pool["name"] == name]
    return dict(found)


def test_the_first_look_has_no_rate(tmp_path: Path) -> None:
    with serve_stats(tmp_path / "stats"), Pool(1, thread_name_prefix="first") as pool:
        pool.submit(int).result(LIMIT)
        with serving(tmp_path / "stats", interval=60) as server:
            assert pool_of(server, "first")["rate"] is None


def test_the_state_is_that_of_the_pools(tmp_path: Path, gate: Gate) -> None:
    with serve_stats(tmp_path / "stats"), Pool(2, queue_size=3, thread_name_prefix=NAME) as pool:
        for _ in range(20):
            pool.submit(abs, -1).result(LIMIT)
        with serving(tmp_path / "stats", stuck=0.5) as server:
            for _ in range(5):
                pool.options(name=NAME).go(gate)
            try:
                check_the_state(server, gate)
            finally:
                gate.open()
            pool.wait(LIMIT)
            eventually(lambda: pool_of(server, NAME)["completed"] == 25)


def check_the_state(server: "web.WebServer", gate: Gate) -> None:
    gate.wait_entered(2)
    eventually(lambda: pool_of(server, NAME)["queued"] == 3)
    state = get(server, "/state")
    (shown,) = [pool for pool in state["pools"] if pool["name"] == NAME]
    numbers = {"limit": 2, "busy": 2, "idle": 0, "queued": 3, "blocked": 0, "failed": 0}
    assert numbers.items() <= shown.items()
    assert (shown["completed"], shown["closed"], shown["paused"]) == (20, False, False)
    assert [task["name"] for task in state["tasks"]] == [NAME, NAME]
    assert {task["worker"] for task in state["tasks"]} == {f"{NAME}_0", f"{NAME}_1"}
    assert state["stuck"] == 0.5
    assert state["process"]["pid"] == os.getpid()
    _, rows = state["samples"][-1]
    assert dict(zip(state["fields"], rows[NAME], strict=True)) == {name: shown[name] for name in FIELDS}


def test_a_page_gets_each_sample_once(server: "web.WebServer") -> None:
    seen: list[float] = []
    while len(seen) < 5:
        state = get(server, f"/state?after={seen[-1] if seen else 0!r}")
        seen += [moment for moment, _ in state["samples"]]
    assert seen == sorted(set(seen))
    everything = [moment for moment, _ in get(server, "/state")["samples"]]
    assert everything[: len(seen)] == seen


def test_stacks_come_on_request(tmp_path: Path, gate: Gate) -> None:
    with serve_stats(tmp_path / "stats"), Pool(1) as pool, serving(tmp_path / "stats") as server:
        pool.go(gate)
        try:
            gate.wait_entered()
            tasks = [task for pool in get(server, "/stats")["pools"] for task in pool["tasks"]]
            assert [task.get("stack") for task in tasks] == [None]
            tasks = [task for pool in get(server, "/stats?stacks=1")["pools"] for task in pool["tasks"]]
            assert any("in __call__" in line for line in tasks[0]["stack"])
        finally:
            gate.open()


@pytest.mark.parametrize(
    ("target", "status", "error"),
    [
        ("/nothing", 404, "/nothing is not there"),
        ("/../server.py", 404, "/../server.py is not there"),
        ("/stats?stacks=2", 400, "stacks must be 0 or 1, not '2'"),
        ("/stats?slowest=1000000", 400, "unexpected parameter 'slowest'"),
        ("/state?after=nan", 400, "after must be seconds since the epoch, not 'nan'"),
        ("/state?after", 400, "bad query field: 'after'"),
        ("/state?stacks=1", 400, "unexpected parameter 'stacks'"),
    ],
)
def test_what_is_not_there_is_refused(server: "web.WebServer", target: str, status: int, error: str) -> None:
    got, headers, body = request(server, target)
    assert (got, json.loads(body)) == (status, {"error": error})
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_only_get_is_answered(server: "web.WebServer", method: str) -> None:
    status, headers, _ = request(server, "/state", method)
    assert status == 501
    assert not [name for name in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *((host, 200) for host in ("127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8000", "127.0.0.1:9")),
        *((host, 403) for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1")),
        *((host, 403) for host in ("localhost@evil.example", "10.0.0.1", "localhost evil.example")),
    ],
)
@pytest.mark.parametrize("target", ["/", "/state", "/stats?stacks=1"])
def test_a_name_that_is_not_its_own_is_refused(
    server: "web.WebServer", host: str, status: int, target: str
) -> None:
    assert request(server, target, Host=host)[0] == status


@pytest.mark.parametrize("hosts", ["", "Host: localhost\r\nHost: evil.example\r\n"])
def test_so_is_a_request_with_no_name_or_two(server: "web.WebServer", hosts: str) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), LIMIT) as connection:
        connection.sendall(f"GET /state HTTP/1.0\r\n{hosts}\r\n".encode())
        assert connection.makefile("rb").readline() == b"HTTP/1.0 403 Forbidden\r\n"


def test_a_host_that_is_served_is_its_own_name(tmp_path: Path) -> None:
    with serve_stats(tmp_path / "stats"), serving(tmp_path / "stats", host="localhost") as server:
        assert server.url == f"http://localhost:{server.server_port}/"
        assert request(server, "/state")[0] == 200
    with serve_stats(tmp_path / "stats"), serving(tmp_path / "stats", host="127.0.0.2") as server:
        assert request(server, "/state")[0] == 200  # its Host is 127.0.0.2
        assert request(server, "/state", Host="127.0.0.3")[0] == 403


def test_every_address_is_served_by_the_address_that_a_browser_comes_to(tmp_path: Path) -> None:
    with serve_stats(tmp_path / "stats"), serving(tmp_path / "stats", host="0.0.0.0") as server:
        with socket.create_connection(("127.0.0.9", server.server_port), LIMIT) as connection:
            connection.sendall(b"GET /state HTTP/1.0\r\nHost: 127.0.0.9\r\n\r\n")
            assert connection.makefile("rb").readline() == b"HTTP/1.0 200 OK\r\n"
        assert request(server, "/state", Host="evil.example")[0] == 403


def test_an_address_of_ipv6_is_served(tmp_path: Path) -> None:
    with serve_stats(tmp_path / "stats"), ExitStack() as stack:
        try:
            server = stack.enter_context(serving(tmp_path / "stats", host="::1"))
        except WatchError as error:
            pytest.skip(f"no IPv6 here: {error}")
        assert server.url == f"http://[::1]:{server.server_port}/"
        assert request(server, "/state")[0] == 200
        assert request(server, "/state", Host=f"[::1]:{server.server_port}")[0] == 200
        assert request(server, "/state", Host="[::2]")[0] == 403


def test_slow_browsers_hold_up_nobody(server: "web.WebServer") -> None:
    with ExitStack() as slow:
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", server.server_port), LIMIT)
            slow.enter_context(connection).sendall(b"GET /sta")
        before = get(server, "/state")["samples"][-1][0]
        eventually(lambda: get(server, "/state")["samples"][-1][0] > before)


def test_a_browser_that_is_too_slow_is_sent_away(
    server: "web.WebServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.Handler, "timeout", 0.1)
    with socket.create_connection(("127.0.0.1", server.server_port), LIMIT) as connection:
        connection.sendall(b"GET /sta")
        assert connection.recv(1) == b""


def names(server: "web.WebServer") -> list[str]:
    return [pool["name"] for pool in get(server, "/state")["pools"]]


def test_a_process_that_ends_is_told_of_and_so_is_the_next(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    with serve_stats(path) as watched, Pool(1, thread_name_prefix="one") as pool, serving(path) as server:
        pool.submit(int).result(LIMIT)
        eventually(lambda: "one" in names(server))
        assert get(server, "/state")["gone"] is None
        watched.close()
        pool.release(LIMIT)
        eventually(lambda: get(server, "/state")["gone"])
        state = get(server, "/state")
        assert state["gone"] == f"{path}: No such file or directory"
        assert state["process"]["pid"] == os.getpid()  # what was last known
        status, _, body = request(server, "/stats?stacks=1")
        assert (status, json.loads(body)) == (502, {"error": f"{path}: No such file or directory"})
        assert [rows for _, rows in state["samples"]][-1] == {}
        with serve_stats(path), Pool(3, thread_name_prefix="next") as pool:
            pool.submit(int).result(LIMIT)
            eventually(lambda: "next" in names(server))
            state = get(server, "/state")
            assert state["gone"] is None
            rows = [rows for _, rows in state["samples"]]
            used = [number for number, row in enumerate(rows) if row]
            assert rows[used[0] : used[-1]].count({}) == 1  # one gap, however long it was


def test_what_is_kept_goes_back_some_minutes_and_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (MINUTES, ROWS) == (10, 50_000)
    monkeypatch.setattr(history, "MINUTES", 1 / 60)
    with serve_stats(tmp_path / "stats"), ExitStack() as pools:
        with serving(tmp_path / "stats") as server:
            first = get(server, "/state")["samples"][0][0]
            eventually(lambda: get(server, "/state")["samples"][0][0] > first)
            moments = [moment for moment, _ in get(server, "/state")["samples"]]
            assert 2 < len(moments) <= 22
            assert moments[-1] - moments[0] <= 1
        for _ in range(4):
            pools.enter_context(Pool(1)).submit(int).result(LIMIT)
        with serving(tmp_path / "stats") as server:
            rows = len(names(server))  # in a sample; other tests may have used the default pool
            monkeypatch.setattr(history, "ROWS", 2 * rows + rows // 2)
            newest = get(server, "/state")["newest"]
            eventually(lambda: get(server, "/state")["samples"][0][0] > newest)
            assert len(get(server, "/state")["samples"]) == 2


def test_no_more_connections_than_a_few_have_threads(server: "web.WebServer") -> None:
    before = threads()
    with ExitStack() as idle:
        for _ in range(web.CONNECTIONS + 20):
            connection = socket.create_connection(("127.0.0.1", server.server_port), LIMIT)
            idle.enter_context(connection)
        assert connection.recv(1) == b""  # there were none left
        assert threads() <= before + web.CONNECTIONS
    eventually(lambda: answers(server))


def answers(server: "web.WebServer") -> bool:
    try:
        return request(server, "/state")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def test_an_error_that_nobody_thought_of_is_seen(
    server: "web.WebServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**terms: Any) -> Any:
        raise LookupError("no ant")

    with monkeypatch.context() as patch:
        patch.setattr(server.history._client, "ask", fail)
        eventually(lambda: get(server, "/state")["gone"] == "unexpected LookupError: no ant")
    eventually(lambda: get(server, "/state")["gone"] is None)


def test_a_clock_that_is_set_back_has_the_samples_begin_anew(server: "web.WebServer") -> None:
    ahead = get(server, "/state")["newest"] + 3600
    with server.history._lock:
        server.history._add(history.Sample(ahead, {}))
    eventually(lambda: get(server, "/state")["newest"] < ahead)
    moments = [moment for moment, _ in get(server, "/state")["samples"]]
    assert moments == sorted(moments)
    assert ahead not in moments


def command(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "antspy", "top", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_says_where_it_serves_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    with serve_stats(tmp_path / "stats"), command(str(tmp_path / "stats"), "--web", "0") as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"antspy top: http://127\.0\.0\.1:(\d+)/ \(Ctrl-C ends it\)\n", line)
            assert found, line
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=LIMIT)
            connection.request("GET", "/state")
            assert json.loads(connection.getresponse().read())["process"]["pid"] == os.getpid()
            connection.close()
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=LIMIT) == ("", "")
            assert process.returncode == 0
        finally:
            process.kill()


def test_ctrl_c_ends_it_at_once_while_the_process_is_stopped(tmp_path: Path) -> None:
    path = str(tmp_path / "stats")
    program = f"import sys, antspy; s = antspy.serve_stats({path!r}); print('ready', flush=True); input()"
    with (
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as watched,
        ExitStack() as ends,
    ):
        ends.callback(watched.kill)
        assert watched.stdout is not None
        assert watched.stdout.readline() == b"ready\n"
        viewer = ends.enter_context(command(path, "--web", "0", "--interval", "0.05"))
        ends.callback(viewer.kill)
        assert viewer.stdout is not None
        found = re.search(r":(\d+)/", viewer.stdout.readline())
        assert found
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=LIMIT)

        def newest() -> float:
            connection.request("GET", "/state")
            return float(json.loads(connection.getresponse().read())["newest"])

        watched.send_signal(signal.SIGSTOP)
        eventually(lambda: time.time() - newest() > 1)  # it is asked, and does not answer
        start = time.monotonic()
        viewer.send_signal(signal.SIGINT)
        assert viewer.communicate(timeout=LIMIT) == ("", "")
        assert viewer.returncode == 0
        assert time.monotonic() - start < 5  # an answer is waited for twice as long


def refusal(*arguments: str) -> str:
    with command(*arguments) as process:
        try:
            out, err = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert (process.returncode, out) == (2, "")
    return err


def test_what_cannot_be_served_is_said_in_a_line(tmp_path: Path) -> None:
    path = str(tmp_path / "stats")
    assert refusal(path, "--web", "0") == f"antspy top: {path}: No such file or directory\n"
    with serve_stats(path), socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert refusal(path, "--web", port) == f"antspy top: --web {port}: Address already in use\n"
        assert refusal(path, "--web", "0", "--host", "192.0.2.1") == (
            "antspy top: --host '192.0.2.1': Cannot assign requested address\n"
        )
        assert refusal(path, "--web", "0", "--host", "") == (
            "antspy top: --host must be a name or an address, not ''\n"
        )
        assert refusal(path, "--web", "0", "--host", "no such host").startswith(
            "antspy top: --host 'no such host': "
        )


def test_two_pages_cannot_share_a_port(tmp_path: Path) -> None:
    with (
        serve_stats(tmp_path / "stats"),
        serving(tmp_path / "stats") as server,
        pytest.raises(WatchError, match=f"--web {server.server_port}: Address already in use"),
        serving(tmp_path / "stats", web=server.server_port),
    ):
        pass
