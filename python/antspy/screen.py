"""Where progress is shown: on stderr, by rich, by tqdm, or by a plain line.

One thread draws, as long as there is a bar, and sleeps between: neither library lets two threads draw at
once, and rich has one live display a terminal. Whoever ends a bar only says so, and waits a second at most
for its last picture: the garbage collector may end a map in any thread, which may hold what that needs.
"""

import atexit
import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Protocol

from .progress import Bar

INTERVAL = 0.1
"""Seconds between two pictures."""

_LAST_PICTURE = 1.0
"""Seconds that the end of a bar waits at most for the last picture of it."""


class Drawer(Protocol):
    """What draws bars."""

    def show(self, bars: list[Bar]) -> None:
        """Draw all of them as they are now."""

    def keep(self, bar: Bar) -> None:
        """Leave one line for a bar that has ended."""

    def forget(self, bar: Bar) -> None:
        """Draw the bar no more."""

    def close(self) -> None:
        """Leave the terminal as it was."""

    def give_up(self) -> None:
        """In a forked child: leave the terminal to the parent. Takes no lock: who has it may not be here."""


class _Nothing:
    """Where nothing can be drawn; and what others need not do."""

    def show(self, bars: list[Bar]) -> None:
        pass

    def keep(self, bar: Bar) -> None:
        pass

    def forget(self, bar: Bar) -> None:
        pass

    def close(self) -> None:
        pass

    def give_up(self) -> None:
        pass


class _Rich:
    """Bars of rich. What is not a terminal gets one line a bar, at its end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._tasks: dict[Bar, Any] = {}
        self._streams: dict[str, Any] = {}
        """What rich puts itself before."""
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            # What the program prints goes through the console meanwhile, which writes it above the bars. To
            # stderr: so not what goes elsewhere.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )

    def show(self, bars: list[Bar]) -> None:
        if not self._streams:  # the first picture: whoever forks from now on finds them here
            self._streams = {"stdout": sys.stdout, "stderr": sys.stderr}
            self._progress.start()
        for bar in bars:
            if bar not in self._tasks:
                self._tasks[bar] = self._progress.add_task(bar.description, total=bar.total, note="")
            self._progress.update(self._tasks[bar], completed=bar.done, total=bar.total, note=bar.note)
        self._progress.refresh()

    def keep(self, bar: Bar) -> None:
        number = self._tasks[bar]
        self._progress.stop_task(number)
        task = next(task for task in self._progress.tasks if task.id == number)
        self._progress.console.print(self._progress.make_tasks_table([task]))

    def forget(self, bar: Bar) -> None:
        self._progress.remove_task(self._tasks.pop(bar))

    def close(self) -> None:
        try:
            for number in self._progress.task_ids:  # what could not be drawn could not be now
                self._progress.remove_task(number)
            with self._progress.console.capture():  # takes, and drops, what could not be written
                pass
            self._progress.live.stop()  # its own `stop` adds an empty line where there is no terminal
        finally:
            self.give_up()

    def give_up(self) -> None:
        for name, stream in self._streams.items():
            if getattr(getattr(sys, name), "rich_proxied_file", None) is stream:  # else another's, by now
                setattr(sys, name, stream)


class _Tqdm(_Nothing):
    """Bars of tqdm. What is not a terminal gets one line a bar, at its end."""

    def __init__(self) -> None:
        from tqdm import tqdm

        class Meter(tqdm):  # type: ignore[misc]  # has no types
            monitor_interval = 0  # no thread of its own: this one draws

        self._meter: Any = Meter  # its types are not those of what it takes
        self._meters: dict[Bar, Any] = {}

    def show(self, bars: list[Bar]) -> None:
        if not _is_terminal():
            return
        for bar in bars:
            meter = self._meters.get(bar)
            if meter is None:
                meter = self._meters[bar] = self._meter(
                    desc=bar.description, total=bar.total, leave=False, file=sys.stderr, dynamic_ncols=True
                )
                meter.start_t -= time.monotonic() - bar.begun
            meter.n, meter.total = bar.done, bar.total
            meter.set_postfix_str(bar.note, refresh=False)
            meter.refresh()

    def keep(self, bar: Bar) -> None:
        line = self._meter.format_meter(
            bar.done,
            bar.total,
            time.monotonic() - bar.begun,
            prefix=bar.description,
            postfix=bar.note or None,
            ncols=shutil.get_terminal_size().columns if _is_terminal() else None,
        )
        self._meter.write(line, file=sys.stderr)

    def forget(self, bar: Bar) -> None:
        if (meter := self._meters.pop(bar, None)) is not None:
            meter.close()


class _Plain(_Nothing):
    """One line that is written again and again, with all bars; only on a terminal."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, bars: list[Bar]) -> None:
        self._write("\r", " | ".join(map(self._text, bars)), "")

    def keep(self, bar: Bar) -> None:
        self._write("\r", self._text(bar), "\n")

    def close(self) -> None:
        self._write("\r", "", "\r")

    def _text(self, bar: Bar) -> str:
        of = "" if bar.total is None else f"/{bar.total}"
        note = f", {bar.note}" if bar.note else ""
        return f"{bar.description}: {bar.done}{of} in {time.monotonic() - bar.begun:.1f} s{note}"

    def _write(self, start: str, text: str, end: str) -> None:
        if not _is_terminal():
            return
        text = text[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write(f"{start}{text:<{self._width}}{end}")
        sys.stderr.flush()
        self._width = 0 if end else len(text)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _drawer() -> Drawer:
    """By the first library that is installed. No program fails because its progress cannot be shown."""
    if sys.stderr is None:  # they would take stdout
        return _Nothing()
    for kind in (_Rich, _Tqdm):
        try:
            return kind()
        except ImportError:
            continue
        except Exception:  # stderr is closed, say
            return _Nothing()
    return _Plain()


class Screen:
    """The bars of the process, and the thread that draws them."""

    def __init__(self) -> None:
        # Re-entrant: the collector may run anything while it is held.
        self._lock = threading.RLock()
        self._bars: list[Bar] = []  # the oldest first
        self._changed = threading.Event()
        self._drawer: Drawer = _Nothing()
        self._thread: threading.Thread | None = None

    def add(self, bar: Bar) -> None:
        with self._lock:
            self._bars.append(bar)
            if self._thread is None:
                self._drawer = _drawer()
                # Set before it runs: a bar that the collector begins meanwhile needs no other.
                self._thread = threading.Thread(target=self._run, name="antspy-progress", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # the system has no more threads: the work goes on without a bar
                    self._thread = None
                    self._bars = []

    def end(self, bar: Bar, wait: bool) -> None:
        bars = self._bars.copy()
        if bar not in bars:  # of the process that this one was forked from, or no thread could draw it
            return
        if any(not older.over for older in bars[: bars.index(bar)]):
            bar.stays = False  # leaves with the next picture
            return
        self._changed.set()
        if wait and threading.current_thread() is not self._thread:
            bar.gone.wait(_LAST_PICTURE)

    def close(self) -> None:
        """At the end of the program: nothing writes to stderr any more when Python closes it."""
        thread = self._thread
        for bar in self._bars.copy():
            bar.over = True
        self._changed.set()
        if thread is not None:
            thread.join(_LAST_PICTURE)

    def give_up(self) -> None:
        """In a forked child: these are the parent's."""
        self._bars = []
        self._drawer.give_up()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._changed.wait(INTERVAL)
            self._changed.clear()
            bars = self._bars.copy()
            ended = [bar for bar in bars if bar.over]
            for bar in bars:
                with suppress(Exception):
                    bar.look()
            try:
                self._draw(bars, ended)
            except Exception:  # the terminal is gone, or refuses what is written
                self._close_drawer()
                self._drawer = _Nothing()
            with self._lock:
                self._bars = [bar for bar in self._bars if bar not in ended]
                if is_last := not self._bars:
                    # Under the lock: whoever is next may have a display of its own.
                    self._close_drawer()
                    self._thread = None
            for bar in ended:
                bar.gone.set()

    def _close_drawer(self) -> None:
        with suppress(Exception):
            self._drawer.close()

    def _draw(self, bars: list[Bar], ended: list[Bar]) -> None:
        self._drawer.show(bars)
        for bar in ended:
            if bar.stays:
                self._drawer.keep(bar)
            self._drawer.forget(bar)


_screen = Screen()


def current() -> Screen:
    """Return the screen of this process."""
    return _screen


def _forget() -> None:
    """In a forked child: the thread is the parent's, and so are the bars."""
    global _screen
    _screen.give_up()
    _screen = Screen()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(lambda: _screen.close())
