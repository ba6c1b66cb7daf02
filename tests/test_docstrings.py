"""Every public name tells what it does: at run time, where `help()` looks.

A function or class shows an example, or names the one that it does as: "As `Pool.submit`". Each of its
parameters is named. The examples are run by `test_docs.py`.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import antspy
import pytest

CALL = {"self", "cls", "fn", "args", "kwargs"}
"""Parameters that the text shows as a call: `fn(*args, **kwargs)`."""
AS = re.compile(r"\b[Aa]s (?:of )?`[\w.]+`")


def public() -> Iterator[tuple[str, Any]]:
    """Yield each public name and its object; each method and property once, where it is defined."""
    seen = set()
    for name in sorted(set(antspy.__all__) - {"__version__"}):
        thing = getattr(antspy, name)
        yield name, thing
        if not inspect.isclass(thing):
            continue
        for owner in thing.__mro__:
            for attribute, value in vars(owner).items():
                where = f"{owner.__name__}.{attribute}"
                if (
                    owner.__module__.startswith("antspy")
                    and not attribute.startswith("_")
                    and where not in seen
                ):
                    seen.add(where)
                    yield where, value


ALL = dict(public())


def text(thing: Any) -> str:
    return inspect.cleandoc(getattr(thing, "__doc__", None) or "")


def parameters(thing: Any) -> list[str]:
    if isinstance(thing, property) or not callable(thing) or is_dataclass(thing):  # its fields have texts
        return []
    try:
        names = inspect.signature(thing).parameters
    except ValueError:  # of a class of the core: none of its own
        return []
    various = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    single = {name for name, one in names.items() if one.kind not in various}
    return sorted(name for name in single - CALL if not name.startswith("_"))


def test_the_names_are_found() -> None:
    assert {"Pool", "_Pool.wait", "_Future.result", "Pool.map", "submit", "_MultiPool.tune"} <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_it_has_a_text_and_an_example_and_names_its_parameters(name: str) -> None:
    thing = ALL[name]
    told = text(thing)
    assert told, "no docstring"
    if not callable(thing):
        return
    assert ">>> " in told or AS.search(told), "neither an example nor what it does as"
    if not AS.search(told) and "Made by `" not in told and name != "LoopFuture":  # which `arun` makes
        missing = [
            one for one in parameters(thing) if not re.search(rf"`{one}\b|^\s+{one}:", told, re.MULTILINE)
        ]
        assert missing == []
