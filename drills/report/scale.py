"""Where a time lies in a drawing."""

import math
from dataclasses import dataclass

from drills.words import moment

WIDTH = 1000
"""Of every drawing in its own units; the page stretches it to the room there is."""
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Scale:
    """A window of time. `origin` is what readers count from: the fault."""

    begin: float
    end: float
    origin: float
    columns: int = WIDTH
    """How finely states are drawn: fewer keep the page small when there are many changes."""

    @property
    def seconds(self) -> float:
        """Its length; never 0."""
        return max(self.end - self.begin, 1e-3)

    def x(self, at: float) -> int:
        """The column's left edge in the drawing's units."""
        share = min(1.0, max(0.0, (at - self.begin) / self.seconds))
        return round(round(share * self.columns) * WIDTH / self.columns)

    def percent(self, at: float) -> float:
        """Of the width, for what is placed by the page."""
        return round(min(100.0, max(0.0, (at - self.begin) / self.seconds * 100)), 2)

    def holds(self, at: float) -> bool:
        """Whether the time lies in the window."""
        return self.begin <= at <= self.end

    def moment(self, at: float) -> str:
        """In words, counted from the origin."""
        return moment(at - self.origin)

    def ticks(self) -> list[tuple[float, str]]:
        """Percent and label of about seven round times."""
        step = next((step for step in _STEPS if self.seconds / step <= 7), _STEPS[-1] * 2)
        first, last = (self.begin - self.origin) / step, (self.end - self.origin) / step
        return [
            (self.percent(self.origin + number * step), _label(number * step, step))
            for number in range(math.ceil(first), math.floor(last) + 1)
        ]


def _label(value: float, step: float) -> str:
    sign = "−" if value < 0 else "+" if value else ""  # noqa: RUF001 (a minus as wide as the plus)
    if step >= 60:
        return f"{sign}{abs(value) / 60:g} min"
    return f"{sign}{abs(round(value, 2)):g} s"
