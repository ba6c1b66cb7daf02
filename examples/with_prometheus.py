"""Prometheus: pools' numbers, read when somebody scrapes.

With a port it serves them until Ctrl-C: `python examples/with_prometheus.py 8000`, then
`curl http://127.0.0.1:8000/metrics`.
"""

import random
import sys
import time
import urllib.request
from contextlib import suppress

import antspy
from antspy.prometheus import PoolCollector
from prometheus_client import start_http_server

port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server, thread = start_http_server(port, addr="127.0.0.1")


def fetch(number: int) -> int:
    time.sleep(random.random() / 100)
    return number


with antspy.Pool(8) as fetchers, antspy.Pool(2, thread_name_prefix="writer") as writers:
    PoolCollector(writers, fetchers=fetchers)  # one by its own name, one by the name given here
    for number in fetchers.map(fetch, range(100)):
        writers.go(fetch, number)
    writers.wait()
    fetchers.wait()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=10) as answer:
        told = answer.read().decode().splitlines()
    print(*(line for line in told if line.startswith("antspy_tasks_ended_total")), sep="\n")
    for pool in ("fetchers", "writer"):
        assert f'antspy_tasks_ended_total{{outcome="completed",pool="{pool}"}} 100.0' in told
    with suppress(KeyboardInterrupt):
        while port:  # work for whoever scrapes
            fetchers.go(fetch, 0)
server.shutdown()
server.server_close()
