"""What the tests of groups have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest
from support import Gate


class Failure(Exception):
    """What tasks raise."""


class Abort(BaseException):
    """What is not an `Exception`."""


@contextmanager
def raises_group(*errors: BaseException | type[BaseException]) -> Iterator[None]:
    """The block raises a group of these, in this order. A failed assertion in it is one too many."""
    with pytest.raises(BaseExceptionGroup) as info:
        yield
    assert info.value.__suppress_context__
    raised = info.value.exceptions
    assert len(raised) == len(errors), raised
    for error, expected in zip(raised, errors, strict=True):
        assert error is expected or type(error) is expected, raised


def fail(error: BaseException) -> NoReturn:
    raise error


def fail_after(gate: Gate, error: BaseException) -> NoReturn:
    gate()
    raise error
