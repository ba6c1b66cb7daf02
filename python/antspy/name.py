"""What a call is called, for those who look on, and how a name is shown."""

from functools import partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any

from .map import run_chunk

FUNCTIONS = (
    FunctionType,
    BuiltinFunctionType,
    MethodDescriptorType,
    MethodWrapperType,
    WrapperDescriptorType,
)
"""Whose names can be read without any foreign code."""

_class_name = type.__dict__["__qualname__"].__get__


def name_of(what: Any) -> str:
    """Return a function's qualified name, a class's, or that of what a `partial` calls; a text as it is.

    Of any other object the name of its class: none of its own code is run, which might wait for what is
    looked at.

    >>> from functools import partial
    >>> name_of(partial(dict.get, {})), name_of(print), name_of("nightly job")
    ('dict.get', 'print', 'nightly job')
    """
    kind = type(what)  # `isinstance` would ask the object, too
    if issubclass(kind, str):
        return str.__str__(what)
    if issubclass(kind, partial):
        chunk = what.func is run_chunk and what.args
        return name_of(what.args[0] if chunk else what.func)
    if kind is MethodType:
        return name_of(what.__func__)
    if kind in FUNCTIONS:
        return str(what.__qualname__)
    if issubclass(kind, type):
        return str(_class_name(what, kind))
    try:  # what `functools.wraps` has written there
        own = object.__getattribute__(what, "__dict__").get("__qualname__")
    except AttributeError:
        own = None
    return own if type(own) is str else kind.__qualname__


def shown(text: str) -> str:
    r"""Return it as it may be written to a terminal: what cannot be printed as its escape.

    >>> shown("a\x1b[2Jb\n")
    'a\\x1b[2Jb\\n'
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
