"""A child process ends when its parent ends, also when the parent was killed and could not say so.

The parent holds the write end of the child's standard input and never writes to it: the end of that
pipe is the end of the parent, on every operating system.
"""

from __future__ import annotations

import os
import threading


def follow_parent() -> None:
    """Ends this process, at once and whatever it is doing, when the parent is gone."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
