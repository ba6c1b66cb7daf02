"""All parts, in the order in which they run."""

from part import Part

from .hammer import HAMMER
from .machine import MACHINE
from .memcheck import MEMCHECK
from .shuttle import SHUTTLE
from .thread_sanitizer import THREAD_SANITIZER

PARTS: dict[str, Part] = {part.name: part for part in (MACHINE, HAMMER, SHUTTLE, THREAD_SANITIZER, MEMCHECK)}
