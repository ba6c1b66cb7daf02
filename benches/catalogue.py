"""All works, in the order in which they are measured and shown."""

from case import Case
from work import Work
from works import (
    calls,
    gather,
    go_wait,
    growth,
    jobs,
    map,
    memory,
    results,
    round_trip,
    sleeps,
    start,
    submitters,
)

WORKS: dict[str, Work] = {
    work.name: work
    for work in (
        go_wait.WORK,
        results.WORK,
        round_trip.WORK,
        map.WORK,
        calls.WORK,
        gather.WORK,
        submitters.WORK,
        *growth.WORKS,
        sleeps.WORK,
        start.WORK,
        jobs.WORK,
        *memory.WORKS,
    )
}


def find(name: str, quick: bool) -> tuple[Work, Case]:
    """The case of this name, and its work."""
    work = WORKS[name.partition(":")[0]]
    return work, next(case for case in work.cases(quick) if case.name == name)
