"""What a check is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from drills.history import Record
from drills.model import Outcome

SHOWN = 5
"""Places of a failure that are told one by one."""


class Verdict(NamedTuple):
    """What a check found, with figures."""

    outcome: Outcome
    detail: str


@dataclass(frozen=True)
class Check:
    """Something that must hold."""

    name: str
    statement: str
    """What must hold, without a full stop."""
    judge: Callable[[Record, float | None], Verdict]
    """Pure; the limit is in seconds."""
    limited: str = ""
    """What the statement says in place of `statement` with a limit, at `{limit}`."""
    needs_limit: bool = False

    @property
    def takes_limit(self) -> bool:
        """Whether it may have a limit."""
        return bool(self.limited)

    def say(self, limit: float | None) -> str:
        """What must hold, in words."""
        return self.statement if limit is None else self.limited.format(limit=f"{limit:g} s")


def passed(detail: str) -> Verdict:
    """It held."""
    return Verdict(Outcome.PASS, detail)


def failed(detail: str) -> Verdict:
    """It did not hold."""
    return Verdict(Outcome.FAIL, detail)


def unknown(detail: str) -> Verdict:
    """What was recorded does not tell."""
    return Verdict(Outcome.UNKNOWN, detail)


def first(places: Iterable[str], total: int) -> str:
    """The first few of so many places, in words."""
    told = "; ".join(islice(places, SHOWN))
    return f"{told}; and {total - SHOWN:,} more" if total > SHOWN else told


def named(partitions: Iterable[int]) -> str:
    """Partitions, in words."""
    found = [str(partition) for partition in partitions]
    if len(found) > 2 * SHOWN:
        return f"{len(found):,} partitions ({', '.join(found[:SHOWN])} …)"
    return f"partition{'s' if len(found) != 1 else ''} {', '.join(found)}"
