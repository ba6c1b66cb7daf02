"""All parts, in the order in which they run."""

from part import Part

from .ends import ENDS
from .forks import FORKS
from .hammer import HAMMER
from .leaks import LEAKS
from .machine import MACHINE
from .memcheck import MEMCHECK
from .shuttle import SHUTTLE
from .signals import SIGNALS
from .thread_sanitizer import THREAD_SANITIZER

ALL = (MACHINE, HAMMER, SHUTTLE, THREAD_SANITIZER, MEMCHECK, ENDS, FORKS, SIGNALS, LEAKS)
PARTS: dict[str, Part] = {part.name: part for part in ALL}
