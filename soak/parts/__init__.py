"""All parts, in the order in which they run."""

from part import Part

from .ends import ENDS
from .forks import FORKS
from .hammer import HAMMER
from .leaks import LEAKS
from .machine import MACHINE
from .signals import SIGNALS

PARTS: dict[str, Part] = {part.name: part for part in (MACHINE, HAMMER, ENDS, FORKS, SIGNALS, LEAKS)}
