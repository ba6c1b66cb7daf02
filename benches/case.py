"""One figure to be measured: which peer does which work, with how much of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Its name is the name of its pyperf benchmark."""

    work: str
    peer: str
    setting: str
    """What rows of the table are called; peers are compared within one."""
    tasks: int
    capacity: int = 8
    queue_size: int | None = 0
    """Of those that have such a thing."""
    submitters: int = 1

    @property
    def name(self) -> str:
        return f"{self.work}: {self.peer}, {self.setting}"

    @property
    def metadata(self) -> dict[str, str | int]:
        """What is kept beside the values, and tells the report where they belong."""
        return {
            "work": self.work,
            "peer": self.peer,
            "setting": self.setting,
            "tasks": self.tasks,
        }
