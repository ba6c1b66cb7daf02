"""Fixtures for all tests, and one rule: a test leaves no thread behind."""

import gc
from collections.abc import Iterator

import antspy
import pytest
from support import Gate, eventually, threads


SHARED = {"gate", "gates"}
"""Fixtures that a test has to itself."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Where each test runs in several threads at once (pytest-run-parallel) they share its fixtures."""
    shared = SHARED.intersection(getattr(item, "fixturenames", ()))
    if shared:
        item.add_marker(pytest.mark.thread_unsafe(reason=f"has {', '.join(sorted(shared))} to itself"))


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    if antspy.running():
        antspy.release(timeout=20)
    antspy.reboot()
    if threads() > before:
        gc.collect()
    eventually(lambda: threads() <= before)


@pytest.fixture
def gate(no_thread_is_left: None) -> Iterator[Gate]:
    """A gate that is opened in the end, whatever comes of the test."""
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def gates(no_thread_is_left: None) -> Iterator[list[Gate]]:
    """Four gates, opened in the end whatever comes of the test."""
    gates = [Gate() for _ in range(4)]
    yield gates
    for gate in gates:
        gate.open()
