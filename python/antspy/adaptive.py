"""A capacity that finds itself."""

from dataclasses import dataclass

from .settings import whole

_LIMIT = 2**32 - 1


@dataclass(frozen=True)
class Adaptive:
    """Stands where a capacity may: the pool tunes itself, from `minimum` to `maximum`, by what it measures.

    It begins with `minimum` and doubles for as long as the throughput grows with it. Then it tries smaller
    steps up and down, and holds the best. It searches anew when the throughput changes, and tries one small
    step in each direction from time to time. It acts only while the capacity is reached; a pool with less to
    do keeps the capacity that it has. See docs/adaptive.md.

    Args:
        minimum: The least capacity, at least 1. Two workers find out faster than one.
        maximum: The greatest, at least `minimum`. It is worth a thought: the pool may try it.

    Raises:
        ValueError, TypeError: A bound makes no sense; the message names it and the value.

    >>> import antspy
    >>> with antspy.Pool(antspy.Adaptive(minimum=2, maximum=200)) as pool:
    ...     pool.capacity
    2
    """

    minimum: int = 1
    maximum: int = 1000

    def __post_init__(self) -> None:
        for name in ("minimum", "maximum"):
            object.__setattr__(self, name, whole(name, getattr(self, name)))
        if self.minimum < 1:
            raise ValueError(f"minimum must be at least 1, not {self.minimum}")
        if not self.minimum <= self.maximum <= _LIMIT:
            raise ValueError(
                f"maximum must be from the minimum, {self.minimum}, to {_LIMIT}, not {self.maximum}"
            )
