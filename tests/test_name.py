"""What a call is called where tasks are shown."""

import enum
import functools
import types
from typing import Any

from antspy.map import run_chunk
from antspy.name import name_of, shown


class Strange:
    """Each look at an attribute runs its code."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("foreign code")

    def __call__(self) -> None: ...

    def method(self) -> None: ...


class Colour(enum.Enum):
    RED = 1


@functools.lru_cache
def cached() -> None: ...


def test_a_call_has_the_name_of_what_is_called_and_none_of_its_code_runs() -> None:
    calls: list[tuple[Any, str]] = [  # no parameters: pytest looks into those
        ("nightly job", "nightly job"),
        (print, "print"),
        ([].append, "list.append"),
        (dict.get, "dict.get"),
        (cached, "cached"),
        (Strange(), "Strange"),
        (Strange, "Strange"),
        (Colour, "Colour"),
        (functools.partial(functools.partial(int, "1"), base=2), "int"),
        (functools.partial(run_chunk, abs), "abs"),
        (types.MethodType(Strange.method, Strange()), "Strange.method"),
        (types.MethodType(Strange(), 1), "Strange"),
    ]
    for what, name in calls:
        assert name_of(what) == name


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    assert shown("fetch ä 蟻") == "fetch ä 蟻"
    assert shown("a\x1b]0;b\x07\n\x9b") == r"a\x1b]0;b\x07\n\x9b"
