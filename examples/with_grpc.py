"""gRPC: a server whose handlers run on an antspy executor."""

import threading
from typing import Any

import antspy
import grpc


def greet(name: bytes, context: Any) -> bytes:
    ran_on.add(threading.current_thread().name)
    return b"hello " + name


ran_on: set[str] = set()
service = grpc.method_handlers_generic_handler("Ants", {"Greet": grpc.unary_unary_rpc_method_handler(greet)})
with antspy.ThreadPoolExecutor(10, thread_name_prefix="ant") as executor:
    server = grpc.server(executor)  # its queue has no limit: gRPC must not be kept waiting
    server.add_generic_rpc_handlers([service])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/Ants/Greet")
        answers = [call.future(b"ant %d" % number) for number in range(100)]
        texts = [answer.result() for answer in answers]
    server.stop(grace=1).wait()
print(texts[-1], len(ran_on), "workers")
assert texts == [b"hello ant %d" % number for number in range(100)]
assert all(name.startswith("ant_") for name in ran_on)
