"""What the rounds say: percentiles of gaps, and bounds. Pure."""

import json
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BOUNDS: Mapping[tuple[str, str], float] = {
    ("drain", "default"): 0.3,
    ("drain", "exported"): 0.3,
    ("kill-leader", "exported"): 3.0,
    ("kill-follower", "exported"): 3.0,
    ("kill-quorum", "exported"): 3.0,
    ("kill-both", "exported"): 3.0,
    ("roll", "default"): 0.5,
    ("roll", "exported"): 0.5,
}
"""Seconds that the 95th percentile of the gaps may be, by event and client (issue: KAFKA, failover)."""


@dataclass(frozen=True)
class Round:
    """One event: the longest time between two acknowledgements that each client saw, in seconds, and errors that
    reached it. `seconds`: how long the event took by itself, such as a roll.
    """

    subject: str
    event: str
    gaps: Mapping[str, float]
    errors: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def shown(self) -> str:
        """A line for the terminal."""
        return f"{self.subject}, {self.event}: {', '.join(f'{who} {gap:.2f} s' for who, gap in self.gaps.items())}"


@dataclass(frozen=True)
class Figure:
    """Something else that was measured once, in the unit that `what` names."""

    subject: str
    what: str
    value: float

    @property
    def shown(self) -> str:
        """A line for the terminal."""
        return f"{self.subject}, {self.what}: {self.value:.1f}"


@dataclass(frozen=True)
class Row:
    """The rounds of one event for one client."""

    subject: str
    event: str
    client: str
    gaps: tuple[float, ...]
    errors: int

    @property
    def bound(self) -> float | None:
        """Seconds; None where there is none."""
        return BOUNDS.get((self.event, self.client)) if self.subject == "components" else None

    @property
    def cells(self) -> tuple[str, ...]:
        """As the page shows it."""
        shown = (f"{percentile(self.gaps, share):.2f}" for share in (0.5, 0.95, 1.0))
        bound = "" if self.bound is None else f"{self.bound:g}"
        return (self.event, self.client, self.subject, str(len(self.gaps)), *shown, str(self.errors), bound)

    @property
    def missed(self) -> str:
        """A sentence when the bound is missed, else empty."""
        found = percentile(self.gaps, 0.95)
        if self.bound is None or found <= self.bound:
            return ""
        wanted = f"the 95th percentile is {found:.2f} s, at most {self.bound:g} s is wanted"
        return f"{self.event}, client {self.client}: {wanted}"


def recorded(lines: Iterable[str]) -> tuple[list[Round], list[Figure]]:
    """What was written down, one JSON object a line."""
    found = [{name: value for name, value in json.loads(line).items() if name != "date"} for line in lines]
    return [Round(**one) for one in found if "event" in one], [Figure(**one) for one in found if "what" in one]


def dates(lines: Iterable[str]) -> str:
    """On which days it was measured."""
    return ", ".join(dict.fromkeys(json.loads(line)["date"] for line in lines))


def figure_rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """What, Kafka, rounds, median, lowest and highest."""
    table = []
    for what, subject in dict.fromkeys((one.what, one.subject) for one in figures):
        values = [one.value for one in figures if (one.what, one.subject) == (what, subject)]
        shown = (statistics.median(values), min(values), max(values))
        table.append((what, subject, str(len(values)), *(f"{value:.1f}" for value in shown)))
    return table


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all values does not exceed (nearest rank). Raises ValueError when
    there is none.
    """
    if not values:
        raise ValueError("a percentile of nothing")
    return sorted(values)[max(0, -(-len(values) * int(share * 100) // 100) - 1)]


def rows(rounds: Sequence[Round]) -> list[Row]:
    """The table, in the order in which things were measured first."""
    keys = dict.fromkeys((one.event, client, one.subject) for one in rounds for client in one.gaps)
    found = []
    for event, client, subject in keys:
        mine = [one for one in rounds if (one.event, one.subject) == (event, subject) and client in one.gaps]
        errors = sum((Counter(one.errors) for one in mine), Counter[str]())[client]
        found.append(Row(subject, event, client, tuple(one.gaps[client] for one in mine), errors))
    return found
