"""A gRPC server on our executor."""

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import antspy
import pytest
from support import LIMIT, Gate, Thread, eventually, library

grpc = library("grpc")


class Served:
    """A server on an executor of 4 workers, and a channel to it."""

    def __init__(self, **options: Any) -> None:
        self.executor = antspy.ThreadPoolExecutor(4, thread_name_prefix="ant")
        self.server = grpc.server(self.executor, **options)
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def add(self, name: str, behaviour: Callable[..., object], kind: str = "unary_unary") -> Any:
        """Serve one more method; return what calls it."""
        handler = getattr(grpc, f"{kind}_rpc_method_handler")(behaviour)
        service = grpc.method_handlers_generic_handler(name, {"Call": handler})
        self.server.add_generic_rpc_handlers([service])
        return getattr(self.channel, kind)(f"/{name}/Call")

    def end(self) -> None:
        self.channel.close()
        self.server.stop(grace=None).wait(LIMIT)
        self.executor.shutdown()


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Served] = []

    def serve(**options: Any) -> Served:
        started.append(Served(**options))
        return started[-1]

    yield serve
    while started:  # and forget them: gRPC's threads end with the last of its objects
        started.pop().end()


def name(request: bytes, context: object) -> bytes:
    return threading.current_thread().name.encode()


def test_a_call_is_answered_by_a_worker(serve: Serve) -> None:
    call = serve().add("Name", name)
    assert call(b"", timeout=LIMIT).startswith(b"ant_")


def test_calls_beyond_the_workers_wait_in_the_queue_and_all_are_answered(serve: Serve, gate: Gate) -> None:
    served = serve()
    call = served.add("Gate", lambda request, context: gate(request))
    answers = [call.future(b"%d" % number, timeout=LIMIT) for number in range(300)]
    gate.wait_entered(4)
    eventually(lambda: served.executor.queued == 296)
    assert served.executor._work_queue.qsize() == 296
    assert served.executor.busy == 4
    gate.open()
    assert [answer.result() for answer in answers] == [b"%d" % number for number in range(300)]


def test_streams_both_ways(serve: Serve) -> None:
    served = serve()
    count = served.add(
        "Count", lambda request, context: (b"%d" % n for n in range(int(request))), "unary_stream"
    )
    total = served.add("Total", lambda requests, context: b"%d" % sum(map(int, requests)), "stream_unary")
    echo = served.add("Echo", lambda requests, context: (request for request in requests), "stream_stream")
    numbers = [b"%d" % number for number in range(50)]
    assert list(count(b"50", timeout=LIMIT)) == numbers
    assert total(iter(numbers), timeout=LIMIT) == b"1225"
    assert list(echo(iter(numbers), timeout=LIMIT)) == numbers


def test_an_error_of_a_handler_is_the_status_of_its_call_and_the_server_goes_on(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "grpc._server")  # the traceback in its record refers to the server

    def fail(request: bytes, context: Any) -> bytes:
        if request:
            context.abort(grpc.StatusCode.NOT_FOUND, "no ant")
        raise LookupError("no ant")

    served = serve()
    call = served.add("Fail", fail)
    for request, code in ((b"", grpc.StatusCode.UNKNOWN), (b"abort", grpc.StatusCode.NOT_FOUND)):
        with pytest.raises(grpc.RpcError, match="no ant") as caught:
            call(request, timeout=LIMIT)
        assert caught.value.code() is code
    assert served.add("Name", name)(b"", timeout=LIMIT).startswith(b"ant_")


def test_a_method_may_have_an_executor_of_its_own(serve: Serve) -> None:
    # gRPC asks whether it is an instance of the standard class.
    with antspy.ThreadPoolExecutor(1, thread_name_prefix="own") as own:

        def behaviour(request: bytes, context: object) -> bytes:
            return name(request, context)

        behaviour.experimental_thread_pool = own  # type: ignore[attr-defined]  # gRPC's way to say so
        assert serve().add("Own", behaviour)(b"", timeout=LIMIT) == b"own_0"


def test_calls_beyond_the_servers_limit_are_refused(serve: Serve, gate: Gate) -> None:
    call = serve(maximum_concurrent_rpcs=2).add("Gate", lambda request, context: gate(request))
    answers = [call.future(b"", timeout=LIMIT) for _ in range(2)]
    gate.wait_entered(2)
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=LIMIT)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    gate.open()
    assert [answer.result() for answer in answers] == [b"", b""]


def test_a_server_that_stops_with_grace_answers_what_it_has_accepted(serve: Serve, gate: Gate) -> None:
    served = serve()
    call = served.add("Gate", lambda request, context: gate(request))
    answers = [call.future(b"%d" % number, timeout=LIMIT) for number in range(6)]
    gate.wait_entered(4)
    eventually(lambda: served.executor.queued == 2)
    stopping = Thread(served.server.stop(grace=LIMIT).wait)
    assert stopping.is_alive()
    gate.open()
    assert [answer.result() for answer in answers] == [b"%d" % number for number in range(6)]
    stopping.result()


def test_a_call_sees_no_context_of_another(serve: Serve) -> None:
    variable: contextvars.ContextVar[bytes] = contextvars.ContextVar("variable", default=b"nobody")

    def exchange(request: bytes, context: object) -> bytes:
        before = variable.get()
        variable.set(request)
        return before

    call = serve().add("Exchange", exchange)
    assert [call(b"somebody", timeout=LIMIT) for _ in range(10)] == [b"nobody"] * 10
