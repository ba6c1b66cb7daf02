"""Functions of several shapes, for the checks."""

from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def greet(name: str, *, loud: bool = False) -> str:
    return name.upper() if loud else name


def pair(first: A, second: B) -> tuple[A, B]:
    return first, second


def work() -> None:
    pass
