"""A child process of the study, seen from the parent: started fresh, heard line by line, never left
behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from antspy.study.message import Message
from antspy.study.options import StudyError


class ChildEnded(Exception):
    """The child ended, or was silent too long, before it said all it had to; the message says
    how."""


class Child:
    """A command that writes one JSON object a line to its standard output.

    A session of its own keeps the terminal's Ctrl-C away from it: the parent gets it and ends its
    children, in order. Standard input is the lifeline (see lifeline.py). Standard error goes to a
    file, so that it can never block the child.
    """

    def __init__(self, command: Sequence[str], pass_fds: Sequence[int] = ()) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
        self.unread = b""
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        except OSError as error:
            self.errors.close()
            raise StudyError(f"cannot start a process: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def messages(self, patience: float) -> Iterator[Message]:
        """What the child says, as it says it; `ChildEnded` when it ends or says nothing for
        `patience` seconds."""
        assert self.process.stdout is not None
        output = self.process.stdout.fileno()
        while True:
            readable, _, _ = select.select([output], [], [], patience)
            if not readable:
                raise ChildEnded(f"the process said nothing for {patience:g} s")
            received = os.read(output, 65_536)
            if not received:
                raise ChildEnded(self.epitaph())
            *lines, self.unread = (self.unread + received).split(b"\n")
            for line in lines:
                yield json.loads(line)

    def epitaph(self) -> str:
        """How the process ended, with the last line of its standard error."""
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return "the process closed its output"
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return ": ".join(["the process ended", how, *self.last_words()])

    def last_words(self) -> list[str]:
        size = self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, size - 4096))
        return self.errors.read().decode(errors="replace").strip().splitlines()[-1:]

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def join(self, timeout: float) -> None:
        """Gives the child time to end by itself."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)

    def close(self) -> None:
        """Ends the child, if it is still there, and returns only when it is gone."""
        if self.alive:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            if pipe is not None:
                pipe.close()


def python(module: str, *arguments: str) -> list[str]:
    """The command for a module of the study, run by this Python."""
    return [sys.executable, "-m", f"antspy.study.{module}", *arguments]
