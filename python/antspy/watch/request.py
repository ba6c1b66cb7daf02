"""What the two servers, of the socket and of the page, do alike with a request."""

import socketserver
import sys
from collections.abc import Iterable
from typing import Any


class Calm(socketserver.BaseServer):
    """A server that a client which goes away does not trouble."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that was lost; anything else is to be seen."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def refuse_others(terms: Iterable[str], *known: str) -> None:
    """Raise `ValueError` if there is a parameter that nobody knows."""
    if unknown := set(terms) - {*known}:
        raise ValueError(f"unexpected parameter {min(unknown)!r}")


def with_stacks(terms: dict[str, str]) -> bool:
    """Read whether stacks are wanted."""
    given = terms.get("stacks", "0")
    if given not in ("0", "1"):
        raise ValueError(f"stacks must be 0 or 1, not {given!r}")
    return given == "1"


def reason(error: Exception) -> str:
    """Return what the system says of an error, without the number and the path; else its text."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
