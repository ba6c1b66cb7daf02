"""How cases are called and how large they are."""

from case import Case
from vs.go_ants import GoAnts
from vs.peer import Peer

EACH_PLACE = 5_000
"""Tasks for each place of a small pool: there a task may cost two switches between threads."""

AnyPeer = type[Peer] | type[GoAnts]


def at(capacity: int) -> str:
    return f"capacity {capacity:,}"


def at_capacity(work: str, peer: AnyPeer, capacity: int, own: int | None = None) -> Case:
    """A case in the row of this capacity, for a peer that may have an `own` number of workers."""
    tasks = min(peer.tasks, EACH_PLACE * capacity)
    return Case(work, peer.name, at(capacity), tasks, own or capacity)
