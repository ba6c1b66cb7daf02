"""For the tests of programs that use a pool: pools whose tasks run when and in the order that the test says.

`InlinePool` runs each task in its submitter. `SeededPool` runs one at a time, in an order drawn from a seed,
on a clock that the test moves. Both are an `antspy.Pool` on the same core, without threads.
`antspy.testing.plugin` is a plugin of pytest that fails a test which leaves pools, workers or exceptions
behind.
"""

from .errors import StuckError
from .inline_pool import InlinePool
from .seeded_pool import SeededPool

__all__ = ["InlinePool", "SeededPool", "StuckError"]
