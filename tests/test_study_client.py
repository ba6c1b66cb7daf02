"""The clients of the study: the same requests by each, on connections that are kept."""

import pytest
from antspy.cli import EXTRA
from support import library

for name in (*EXTRA, "pycurl"):
    library(name)
from antspy.study.child import python  # noqa: E402
from antspy.study.options import Client, Unbounded  # noqa: E402
from study_support import JOBS, PATHS, calls, measured, row  # noqa: E402

MEASUREMENT = python("measurement")
each_client = pytest.mark.parametrize("client", list(Client))


@each_client
@pytest.mark.parametrize("close", [False, True])
def test_connections_are_kept_unless_the_server_closes_them(client: Client, close: bool) -> None:
    with calls(close=close) as server:
        result = measured(MEASUREMENT, row(server.server_port, client=client))
    assert (result["jobs"], result["failed"], result["reasons"]) == (JOBS, 0, {})
    assert sorted(server.paths) == PATHS
    assert len(server.connections) == JOBS if close else 1 <= len(server.connections) <= 5


@each_client
def test_a_thread_for_each_job_has_a_connection_of_its_own(client: Client) -> None:
    with calls() as server:
        result = measured(MEASUREMENT, row(server.server_port, Unbounded.NONE, client=client))
    assert (result["failed"], len(server.connections)) == (0, JOBS)


@each_client
@pytest.mark.parametrize("status", [404, 500])
def test_an_answer_that_is_not_200_is_a_failed_job(client: Client, status: int) -> None:
    with calls(status) as server:
        result = measured(MEASUREMENT, row(server.server_port, client=client))
    assert result["reasons"] == {f"status {status}": JOBS}


@each_client
def test_without_a_server_each_job_fails_for_one_reason(client: Client) -> None:
    with calls() as server:
        pass
    result = measured(MEASUREMENT, row(server.server_port, client=client))
    ((why, count),) = result["reasons"].items()
    assert (count, "refused" in why or "could not connect" in why) == (JOBS, True)


def test_a_server_that_is_silent_is_a_timeout() -> None:
    """The kernel's limit, which the client `httptools` sets on its socket."""
    import socket

    from antspy.study.client import FetchError
    from antspy.study.socket_client import socket_connector

    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        connector = socket_connector(host, port, timeout=0.05)
        connection = connector.open()
        for _ in range(2):  # after a failure it connects anew
            with pytest.raises(FetchError, match=r"^timed out$"):
                connector.request(connection, "/two/1")
            assert connection.stream is None
