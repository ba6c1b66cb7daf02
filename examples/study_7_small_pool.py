"""Chapter 7 of the study: a small pool of 20 workers against HTTP, with a server of its own."""

import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from antspy import Pool


class Slow(BaseHTTPRequestHandler):
    """Answers after 50 ms."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(0.05)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


local = threading.local()


def get(number: int) -> int:
    if not hasattr(local, "connection"):  # one for each worker, kept alive
        local.connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    local.connection.request("GET", f"/two/{number}")
    response = local.connection.getresponse()
    response.read()
    return int(response.status)


ThreadingHTTPServer.request_queue_size = 20  # all workers connect at once, and 5 could wait
server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
threading.Thread(target=server.serve_forever, daemon=True).start()

start = time.perf_counter()
with Pool(20) as pool:
    statuses = list(pool.map(get, range(200)))
print(f"{statuses.count(204)} answers in {time.perf_counter() - start:.2f} s with {pool.capacity} workers")
server.shutdown()
