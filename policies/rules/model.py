"""The plain data that rules judge, and what they answer. No Pulumi in here: callers bring the facts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a violated rule means: `ERROR` stops the deployment, `ADVICE` is only shown."""

    ERROR = "error"
    ADVICE = "advice"


@dataclass(frozen=True)
class TopicFacts:
    """A topic as it would be created; `path` is where its settings stand."""

    path: str
    name: str
    replication_factor: int
    min_isr: int


@dataclass(frozen=True)
class KafkaFacts:
    """A Kafka cluster as it would be deployed.

    `path` is where its settings stand (`kafka-ha:kafka`), `zones_path` where the zones do. `zones` is None
    while they are not
    known. `max_unavailable` is how many pods the disruption budget lets go at once.
    """

    path: str
    zones_path: str
    brokers: int
    voters: int
    zones: tuple[str, ...] | None
    replication_factor: int
    min_isr: int
    max_unavailable: int
    topics: tuple[TopicFacts, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the setting's path, what it holds, what is allowed."""

    path: str
    found: str
    required: str


@dataclass(frozen=True)
class Rule:
    """One rule. `check` yields a finding for each violation; `why` carries the source of the rule, `remedy`
    the way out.
    """

    id: str
    severity: Severity
    why: str
    remedy: str
    check: Callable[[KafkaFacts], Iterable[Finding]]


@dataclass(frozen=True)
class Verdict:
    """A violated rule, complete enough to be shown by itself."""

    rule: str
    severity: Severity
    path: str
    found: str
    required: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: got {self.found}, but {self.required}. {self.remedy} ({self.rule}: {self.why})"
