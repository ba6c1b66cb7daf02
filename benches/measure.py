"""Measure one case: a pyperf script (`python benches/measure.py CASE --help`).

`run.py` calls it once for each case and round, so that a slow hour of the machine slows all peers.
"""

from typing import Any

import pyperf
from catalogue import find


def main() -> None:
    runner = pyperf.Runner(processes=1, values=3, warmups=1, loops=1, add_cmdline_args=pass_on)
    runner.argparser.add_argument("--quick", action="store_true", help="with less to do")
    runner.argparser.add_argument("case", help="its name: '{work}: {peer}, {setting}'")
    arguments = runner.parse_args()
    work, case = find(arguments.case, arguments.quick)
    runner.bench_time_func(
        case.name,
        lambda loops: sum(work.measure(case) for _ in range(loops)),
        inner_loops=work.unit.inner_loops(case),
        metadata={**case.metadata, "unit": work.unit.pyperf},
    )


def pass_on(command: list[str], arguments: Any) -> None:
    """Tell pyperf's worker which case it is for."""
    if arguments.quick:
        command.append("--quick")
    command.append(arguments.case)


if __name__ == "__main__":
    main()
