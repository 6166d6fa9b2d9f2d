"""Shows what is being done: bars on a terminal, plain lines everywhere else. All of it goes to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

EVERY_SECONDS = 20.0


class Step(Protocol):
    """One step under way."""

    def at(self, done: int, total: int | None, text: str) -> None:
        """Says how far the step is; `text` is the same in words (`12 of 40 MB`)."""


class Reporter(Protocol):
    """Where the toolchain says what it does."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def warn(self, text: str) -> None:
        """A line that stays and stands out."""

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[Step]:
        """A step that takes a while; ends with a line that says how long it took."""
        yield _Silent()


class _Silent:
    def at(self, done: int, total: int | None, text: str) -> None:
        pass


class Lines:
    """Plain lines, for logs: one at a step's start, one every 20 seconds, one at its end."""

    def __init__(
        self,
        write: Callable[[str], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._write = write or (lambda text: print(text, file=sys.stderr, flush=True))
        self._clock = clock
        self._every = every

    def note(self, text: str) -> None:
        """A line that stays."""
        self._write(text)

    def warn(self, text: str) -> None:
        """A line that stays and stands out."""
        self._write(f"warning: {text}")

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[Step]:
        """A step that takes a while."""
        start = self._clock()
        self._write(f"{name}: {what}")
        yield _LineStep(self._write, self._clock, name, start, self._every)
        self._write(f"{name}: done in {seconds(self._clock() - start)}")


class _LineStep:
    def __init__(
        self, write: Callable[[str], object], clock: Callable[[], float], name: str, start: float, every: float
    ) -> None:
        self._write, self._clock, self._name, self._start, self._every = write, clock, name, start, every
        self._last = start

    def at(self, done: int, total: int | None, text: str) -> None:
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._write(f"{self._name}: {text}, {seconds(now - self._start)} so far")


class Bars:
    """Bars by rich, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        """A line that stays."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """A line that stays and stands out."""
        self._console.print(f"[yellow]warning:[/] {escape(text)}", highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[Step]:
        """A step that takes a while."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
        start = time.monotonic()
        with Progress(*columns, console=self._console, transient=True) as progress:
            yield _BarStep(progress, progress.add_task(escape(f"{name}: {what}"), total=None), name)
        self.note(f"{name}: {what}: done in {seconds(time.monotonic() - start)}")


class _BarStep:
    def __init__(self, progress: Progress, task: TaskID, name: str) -> None:
        self._progress, self._task, self._name = progress, task, name

    def at(self, done: int, total: int | None, text: str) -> None:
        self._progress.update(self._task, completed=done, total=total, description=escape(f"{self._name}: {text}"))


def reporter() -> Reporter:
    """Bars when standard error is a terminal, else lines."""
    console = Console(stderr=True)
    return Bars(console) if console.is_terminal else Lines()


def seconds(value: float) -> str:
    """A duration for people: `0.4 s`, `12 s`, `3 min 05 s`."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60:02d} s"
