"""Waits between two rows until the row before has left nothing behind."""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException

from antspy.study.configuration import HOST

PATIENCE = 30.0
PAUSE = 0.05


def settle(port: int) -> None:
    """Returns when the server has closed the connections of the row before; also when it has gone, or has not
    come to it within `PATIENCE` seconds.

    A process that ends leaves up to 20,000 connections to be closed, a second of work for the server and the
    kernel, which would be taken from the next row.
    """
    connection = HTTPConnection(HOST, port, timeout=PATIENCE)
    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            connection.request("GET", "/open/")
            with connection.getresponse() as answer:
                if int(answer.read()) <= 1:
                    return
            time.sleep(PAUSE)
    except (OSError, HTTPException, ValueError):
        return  # what became of the server is told elsewhere
    finally:
        connection.close()
