"""All parts, in the order in which they run."""

from part import Part

from .hammer import HAMMER
from .machine import MACHINE
from .shuttle import SHUTTLE

PARTS: dict[str, Part] = {part.name: part for part in (MACHINE, HAMMER, SHUTTLE)}
