"""The event loop of a thread that runs a task in its midst: out of the task's sight. Called by the core.

Such a task finds what it finds in a worker: no loop, so that it may run one itself.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

    Left = tuple[AbstractEventLoop, Task[Any] | None]


def leave() -> "Left | None":
    """Step out of the loop that this thread runs, and out of its task; `None`: it runs none."""
    if "asyncio" not in sys.modules:
        return None
    import asyncio  # another thread may be about to

    loop = asyncio._get_running_loop()
    if loop is None:
        return None
    task = asyncio.current_task(loop)
    if task is not None:
        asyncio._leave_task(loop, task)
    asyncio._set_running_loop(None)
    return loop, task


def enter(left: "Left") -> None:
    """Step in again."""
    import asyncio

    loop, task = left
    asyncio._set_running_loop(loop)
    if task is not None:
        asyncio._enter_task(loop, task)
