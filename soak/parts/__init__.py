"""All parts, in the order in which they run."""

from part import Part

from .leaks import LEAKS
from .machine import MACHINE

PARTS: dict[str, Part] = {part.name: part for part in (MACHINE, LEAKS)}
