"""The clients: how a job makes its HTTP request.

A worker keeps one connection alive. Where the limit of open files has none for each worker, fewer connections
go from job to job, and a job that finds none free waits for one. A request that does not end with status 200
raises `FetchError`, whose text is the reason that the table shows. Every request is bounded in time: a server
that is gone gives failed jobs, not a hang.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from antspy.study.options import Client

Fetch = Callable[[int], None]
"""Makes the request of the job with this number."""

ROUTE = "/two/"
"""Of the jobs: the server answers after the delay."""

CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 20.0
"""Seconds beside the server's own delay: with thousands of requests at once an answer waits its turn."""


class FetchError(Exception):
    """A request failed; the message has no detail that differs from job to job."""


def why(error: Exception) -> str:
    """An exception of a socket or of a parser, in words that differ from no job to the next."""
    if isinstance(error, TimeoutError | BlockingIOError):  # the second is how a socket option times out
        return "timed out"
    if isinstance(error, OSError) and error.errno:
        return f"{type(error).__name__}: {os.strerror(error.errno)}"
    return type(error).__name__


@dataclass(frozen=True)
class Connector:
    """One of the clients, ready to speak with the server."""

    open: Callable[[], Any]
    """Makes a connection, which connects at its first request."""
    request: Callable[[Any, str], None]
    """Makes one request on that connection, of this path."""
    version: str


def make_connector(client: Client, host: str, port: int, delay: float) -> Connector:
    timeout = delay + ANSWER_TIMEOUT
    match client:
        case Client.HTTPTOOLS:
            from antspy.study.socket_client import socket_connector

            return socket_connector(host, port, timeout)
        case Client.PYCURL:
            return pycurl_connector(f"http://{host}:{port}", timeout)
        case Client.HTTP_CLIENT:
            return http_client_connector(host, port, timeout)


def connection_per_worker(connector: Connector) -> Fetch:
    local = threading.local()
    open_connection, request = connector.open, connector.request

    def fetch(number: int) -> None:
        try:
            connection = local.connection
        except AttributeError:
            connection = local.connection = open_connection()
        request(connection, ROUTE + str(number))

    return fetch


def shared_connections(connector: Connector, most: int) -> Fetch:
    idle: SimpleQueue[Any] = SimpleQueue()
    unopened = [None] * most  # a counter whose `pop` is atomic
    open_connection, request = connector.open, connector.request

    def take() -> Any:
        try:
            return idle.get_nowait()
        except Empty:
            pass
        try:
            unopened.pop()
        except IndexError:
            return idle.get()
        return open_connection()

    def fetch(number: int) -> None:
        connection = take()
        try:
            request(connection, ROUTE + str(number))
        finally:
            idle.put(connection)

    return fetch


def pycurl_connector(server: str, timeout: float) -> Connector:
    """libcurl sends, waits and receives in C, in one call that lets go of the interpreter once."""
    import pycurl

    set_url, get_status = pycurl.URL, pycurl.RESPONSE_CODE

    def open_handle() -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.NOSIGNAL, 1)  # no SIGALRM, no SIGPIPE: there are many threads
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_TIMEOUT * 1000))
        handle.setopt(pycurl.TIMEOUT_MS, int(timeout * 1000))
        handle.setopt(pycurl.PROXY, "")  # whatever http_proxy says: the server is here
        handle.setopt(pycurl.BUFFERSIZE, 1024)  # of 16 KiB, in each of thousands of handles
        # No WRITEFUNCTION: libcurl itself writes the body to the C stdout, which is the null device in this
        # process. A callback would take the interpreter once more in each request.
        return handle

    def request(handle: pycurl.Curl, path: str) -> None:
        try:
            handle.setopt(set_url, server + path)
            handle.perform()
        except pycurl.error as error:
            raise FetchError(reason(int(error.args[0]), handle)) from None
        status = handle.getinfo(get_status)
        if status != 200:
            raise FetchError(f"status {status}")

    def reason(code: int, handle: pycurl.Curl) -> str:
        # libcurl's own messages carry port numbers and milliseconds: no two would be counted together.
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return "timed out"
        what = {
            pycurl.E_COULDNT_CONNECT: "could not connect",
            pycurl.E_GOT_NOTHING: "connection closed without an answer",
            pycurl.E_SEND_ERROR: "could not send",
            pycurl.E_RECV_ERROR: "could not receive",
        }.get(code, f"curl error {code}")
        errno = int(handle.getinfo(pycurl.OS_ERRNO))
        return f"{what}: {os.strerror(errno)}" if errno else what

    return Connector(open_handle, request, pycurl.version.split(" OpenSSL")[0])


def http_client_connector(host: str, port: int, timeout: float) -> Connector:
    """The standard library's client: needs nothing, and spends about 150 µs of interpreter on a request."""
    import platform
    from http.client import HTTPConnection, HTTPException

    def open_connection() -> HTTPConnection:
        return HTTPConnection(host, port, timeout=timeout)

    def request(connection: HTTPConnection, path: str) -> None:
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException) as error:
            connection.close()  # the next request connects anew
            raise FetchError(why(error)) from None
        if response.status != 200:
            raise FetchError(f"status {response.status}")

    return Connector(open_connection, request, f"http.client of Python {platform.python_version()}")
