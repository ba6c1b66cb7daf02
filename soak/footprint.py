"""What this process holds of memory, as the system, the C library and Python count it."""

import ctypes
import gc
import os
import resource
import sys
from dataclasses import dataclass

_C = ctypes.CDLL(None) if sys.platform == "linux" else None
_HAS_GLIBC = hasattr(_C, "mallinfo2") and hasattr(_C, "malloc_trim")


class _Mallinfo2(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


@dataclass(frozen=True)
class Footprint:
    resident: int
    """Bytes that the system counts (RSS)."""
    allocated: int
    """Bytes that `malloc` has given out and not got back; 0 where the C library does not tell."""
    blocks: int
    """Python's own small blocks: an object is one at least."""

    def __sub__(self, other: "Footprint") -> "Footprint":
        return Footprint(
            self.resident - other.resident,
            self.allocated - other.allocated,
            self.blocks - other.blocks,
        )


def footprint() -> Footprint:
    """Return what is held once all garbage has been collected, and free memory given back to the system."""
    for _ in range(3):
        gc.collect()
    allocated = 0
    if _C is not None and _HAS_GLIBC:
        _C.malloc_trim(0)
        _C.mallinfo2.restype = _Mallinfo2
        told = _C.mallinfo2()
        allocated = told.uordblks + told.hblkhd
    return Footprint(_resident(), allocated, sys.getallocatedblocks())


def _resident() -> int:
    with open(f"/proc/{os.getpid()}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
