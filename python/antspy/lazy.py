"""What is imported when it is first needed: most programs have no event loop, and `asyncio` is large."""

from importlib import import_module
from typing import TYPE_CHECKING, Any


class _Module:
    """Stands for a module. What has been asked for once is kept, so that to ask again costs nothing more."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:
    from . import loop_future as loop_future
else:
    loop_future = _Module("antspy.loop_future")
