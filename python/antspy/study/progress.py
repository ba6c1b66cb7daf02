"""The progress bar: one line for each configuration, with running, free and waiting as they are
now."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from antspy.study.configuration import Configuration
from antspy.study.message import Message
from antspy.study.result import Result


class Progress:
    """Written to standard error, so that the table alone goes where standard output goes."""

    def __init__(self) -> None:
        self.bars = RichProgress(
            TextColumn("{task.description:>21}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[live]}"),
            console=Console(stderr=True),
            refresh_per_second=5,
        )

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bars.stop()

    def begin(self, configuration: Configuration, rival: str = "") -> None:
        name = f"{configuration.name}, {rival}" if rival else configuration.name
        self.bar = self.bars.add_task(name, total=configuration.jobs, live="")

    def update(self, message: Message) -> None:
        self.bars.update(self.bar, completed=message["done"], live=live(message))

    def end(self, result: Result) -> None:
        values = {"running": result.running, "free": result.free, "failed": result.failed}
        self.bars.update(self.bar, completed=result.jobs, live=live(values))
        self.bars.stop_task(self.bar)


def live(message: dict[str, Any]) -> str:
    """`running 1000  free 0  waiting 1`, without what does not apply; failures only when there are
    any."""
    words = [
        f"{word} {message[word]}" for word in ("running", "free", "waiting") if message.get(word) is not None
    ]
    if message["failed"]:
        words.append(f"[red]failed {message['failed']}[/red]")
    return "  ".join(words)
