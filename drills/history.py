"""A recorded drill as the pure half sees it: events in time order, by kind, by phase and round."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

from drills.model import About, Acknowledged, Event, Finding, PartitionState, Phase, Read, ReadEnd

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Span:
    """A phase with its times."""

    name: str
    begin: float
    end: float
    detail: str = ""


@dataclass(frozen=True)
class Round:
    """One fault, up to the next one or to the audit. `heal` is when it began to be undone."""

    fault: float
    heal: float | None
    end: float

    @property
    def fault_end(self) -> float:
        """When the fault's own phase was over."""
        return self.end if self.heal is None else self.heal


@dataclass(frozen=True)
class PartitionLog:
    """What the final read found in one partition."""

    values: Mapping[int, int]
    """By offset."""
    end: int | None
    """None: it was not read to its end."""
    disputed: frozenset[int]
    """Offsets that were read twice with different values."""

    @cached_property
    def holes(self) -> int:
        """Offsets between the first record read and the end that were not read. Kafka leaves none in a log that is
        neither compacted nor transactional.
        """
        if self.end is None:
            return 0
        begin = min(self.values, default=0)
        return max(0, self.end - begin) - sum(offset < self.end for offset in self.values)


@dataclass(frozen=True, eq=False)
class Record:
    """A recorded drill."""

    about: About
    events: Sequence[Event]
    """In time order."""
    findings: tuple[Finding, ...] = ()
    """Of the last time that it was judged."""

    def of(self, kind: type[E]) -> Sequence[E]:
        """All events of that kind, in time order."""
        return cast("Sequence[E]", self._by_kind.get(kind, ()))

    @cached_property
    def _by_kind(self) -> Mapping[type[Any], Sequence[Event]]:
        found: dict[type[Any], list[Event]] = {}
        for event in self.events:
            found.setdefault(type(event), []).append(event)
        return found

    @property
    def partitions(self) -> range:
        """Of the load's topic."""
        return range(self.about.partitions)

    @property
    def began(self) -> float:
        """Time of the first phase, or of the drill when there is none: by one clock, unlike that of other events."""
        return next((phase.at for phase in self.of(Phase)), self.about.began)

    @property
    def ended(self) -> float:
        """Time of the end; of the last event where the drill did not come to it."""
        last = self.of(Phase)[-1:] if self.complete else self.events[-1:]
        return last[0].at if last else self.about.began

    @cached_property
    def phases(self) -> Sequence[Span]:
        """In time order; the last one ends with the record."""
        phases = self.of(Phase)
        ends = [*(phase.at for phase in phases[1:]), self.ended]
        return [
            Span(phase.name, phase.at, end, phase.detail)
            for phase, end in zip(phases, ends, strict=False)  # one end too many where there is no phase
            if phase.name != "end"
        ]

    @property
    def complete(self) -> bool:
        """Whether the drill came to its end."""
        return any(phase.name == "end" for phase in self.of(Phase))

    @cached_property
    def load_end(self) -> float:
        """When the load was told to stop; the end of the record when it never was."""
        return next((phase.at for phase in self.of(Phase) if phase.name in ("audit", "end")), self.ended)

    @cached_property
    def rounds(self) -> Sequence[Round]:
        """Each fault; none when the drill did not come that far."""
        steps = [phase for phase in self.of(Phase) if phase.name in ("fault", "heal", "audit", "end")]
        faults = [index for index, phase in enumerate(steps) if phase.name == "fault"]
        found = []
        for index in faults:
            after = steps[index + 1 :]
            heal = after[0].at if after and after[0].name == "heal" else None
            end = next((phase.at for phase in after if phase.name != "heal"), self.ended)
            found.append(Round(steps[index].at, heal, end))
        return found

    @property
    def origin(self) -> float:
        """What times are told from: the first fault, or the beginning when there is none."""
        return self.rounds[0].fault if self.rounds else self.began

    @cached_property
    def states(self) -> Mapping[int, Sequence[PartitionState]]:
        """Of each partition, in time order; partitions of which nothing was seen are missing."""
        found: dict[int, list[PartitionState]] = {}
        for state in self.of(PartitionState):
            found.setdefault(state.partition, []).append(state)
        return found

    @cached_property
    def log(self) -> Mapping[int, PartitionLog]:
        """The final read of each partition of the topic, also of those that were not read."""
        known_of = {*self.partitions, *(one.partition for one in self.of(Acknowledged))}
        values: dict[int, dict[int, int]] = {partition: {} for partition in sorted(known_of)}
        disputed: dict[int, set[int]] = {}
        for read in self.of(Read):
            known = values.setdefault(read.partition, {}).setdefault(read.offset, read.value)
            if known != read.value:
                disputed.setdefault(read.partition, set()).add(read.offset)
        ends = {end.partition: end.end for end in self.of(ReadEnd)}
        return {
            partition: PartitionLog(found, ends.get(partition), frozenset(disputed.get(partition, ())))
            for partition, found in values.items()
        }

    @property
    def unread(self) -> Sequence[int]:
        """Partitions that were not read to their end."""
        return [partition for partition, log in self.log.items() if log.end is None]


def under_min_isr(record: Record) -> Iterator[tuple[int, float, float]]:
    """Partition, begin and end (infinite when it lasts) of each time that the ISR was seen under its minimum."""
    for partition, states in record.states.items():
        begin: float | None = None
        for state in states:
            under = len(state.isr) < state.min_isr
            if under and begin is None:
                begin = state.at
            elif not under and begin is not None:
                yield partition, begin, state.at
                begin = None
        if begin is not None:
            yield partition, begin, math.inf
