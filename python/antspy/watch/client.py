"""Asks a process that has called `antspy.serve_stats` what its pools do."""

import json
import socket
from http.client import HTTPConnection, HTTPException
from typing import Any

from .request import reason
from .snapshot import FORMAT, Document


class WatchError(Exception):
    """There is nobody to ask, or what comes back is of no use; the message says what."""


class _Connection(HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("antspy", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Asks the process that serves at `path`; `timeout` seconds a request."""

    def __init__(self, path: str, timeout: float = 10.0) -> None:
        self.path = path
        self._timeout = timeout

    def ask(self, stacks: bool = False, slowest: int = 20) -> Document:
        """Return the document of now.

        Raises:
            WatchError: Nobody serves there, it does not answer in time, or in another format.
        """
        connection = _Connection(self.path, self._timeout)
        try:
            connection.request("GET", f"/stats?stacks={int(stacks)}&slowest={slowest}")
            answer = connection.getresponse()
            document: Any = json.loads(answer.read())
        except TimeoutError:
            raise WatchError(f"{self.path}: no answer within {self._timeout:g} s") from None
        except (OSError, HTTPException, ValueError) as error:
            raise WatchError(f"{self.path}: {reason(error)}") from None
        finally:
            connection.close()
        if not isinstance(document, dict) or not {"format", "error"} & document.keys():
            raise WatchError(f"{self.path}: whoever serves there is not antspy")
        if answer.status != 200:
            raise WatchError(f"{self.path}: {document.get('error')}")
        if document.get("format") != FORMAT:
            raise WatchError(f"{self.path}: format {document.get('format')!r}, not {FORMAT}: another antspy")
        return dict(document)
