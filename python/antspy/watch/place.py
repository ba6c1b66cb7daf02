"""Where a process serves: a Unix socket that only its owner can open."""

import errno
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .request import reason

PATIENCE = 5.0
"""Seconds for whoever serves there already to say so."""

LINE = 16
"""How many clients may wait to be answered."""


def listen(path: Path) -> socket.socket:
    """Return a socket at `path` that listens.

    It is made where nobody else can enter, and put in place once nobody else can open it. Newcomers do so one
    after the other, or:

    1. Two find what an ended process has left.
    2. One puts its socket in the place of that.
    3. So does the other, and nobody can reach the first any more.

    Raises:
        FileExistsError: Somebody serves there, or what is there is no socket.
        OSError: No socket can be made there.
    """
    made = socket.socket(socket.AF_UNIX)
    try:
        with _alone_in(path.parent), tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
            _refuse_to_replace(path)
            name = Path(folder, "s")
            made.bind(str(name))
            name.chmod(0o600)
            made.listen(LINE)
            name.replace(path)
    except (OSError, ValueError) as error:
        made.close()
        if isinstance(error, FileExistsError):
            raise
        number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
        raise OSError(number, f"path: no socket can be made there: {reason(error)}", str(path)) from None
    return made


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. Nobody else does for long, but one who looks who serves there."""
    import fcntl  # not on Windows

    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _refuse_to_replace(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as knock:
        knock.settimeout(PATIENCE)
        try:
            knock.connect(str(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            if not stat.S_ISSOCK(path.stat().st_mode):
                raise FileExistsError(f"path: {str(path)!r} is there, and is no socket") from None
            return  # left by a process that has ended
    raise FileExistsError(f"path: somebody serves on {str(path)!r} already")
