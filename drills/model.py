"""What a drill records. All that happens is an event; figures, checks and the report are computed from events alone, so
that a recorded drill can be judged again (as Jepsen's `analyze` does).

Times are seconds since the epoch by one clock, that of the machine which runs the drill.
"""

from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Outcome(Enum):
    """Of a check or a whole drill."""

    PASS = "pass"
    UNKNOWN = "unknown"
    """What was recorded does not tell: never taken for a pass."""
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float


class Phase(_Event):
    """The drill goes on to its next phase; everything up to the next one belongs to it.

    `fault` is written just before the fault, `heal` just before it is undone; a drill of many rounds has many of both.
    `audit` is written before the load is told to stop, so that what is missing up to it counts as a gap. `end` is the
    last event: a record without it was broken off, and passes nothing.
    """

    kind: Literal["phase"] = "phase"
    name: Literal["load", "fault", "heal", "settle", "audit", "end"]
    detail: str = ""


class Acknowledged(_Event):
    """A record was acknowledged to the producer, at this place of the log."""

    kind: Literal["acknowledged"] = "acknowledged"
    partition: int
    offset: int
    value: int
    """The record's number: the producer counts up from 0."""


class SendFailed(_Event):
    """An error that reached the producer's caller. The record may be in the log all the same: a timed-out send is
    unknown, not failed.
    """

    kind: Literal["send-failed"] = "send-failed"
    value: int
    error: str
    """Kafka's name of it, such as `NotEnoughReplicasException`."""


class Consumed(_Event):
    """The group that reads along got these records: from `first` to `last`, offsets of one partition."""

    kind: Literal["consumed"] = "consumed"
    partition: int
    first: int
    last: int


class Read(_Event):
    """A record of the final read, by a consumer that begins at the start of the log."""

    kind: Literal["read"] = "read"
    partition: int
    offset: int
    value: int


class ReadEnd(_Event):
    """The final read is complete: `end` is the partition's end of the log when it began."""

    kind: Literal["read-end"] = "read-end"
    partition: int
    end: int


class PartitionState(_Event):
    """Leader and in-sync replicas of a partition of the load's topic, written when they change."""

    kind: Literal["partition"] = "partition"
    partition: int
    leader: int | None
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    min_isr: int


class QuorumState(_Event):
    """Leader and voters of the metadata quorum, written when they change. `leader` None: nobody answers or leads."""

    kind: Literal["quorum"] = "quorum"
    leader: int | None
    voters: tuple[int, ...]


class PodState(_Event):
    """A node of Kafka as Kubernetes sees it, written when it changes."""

    kind: Literal["pod"] = "pod"
    name: str
    broker: int
    node: str
    phase: Literal["Pending", "Running", "Succeeded", "Failed", "Unknown", "Gone"]
    ready: bool
    terminating: bool


class NodeState(_Event):
    """A Kubernetes node, written when it changes."""

    kind: Literal["node"] = "node"
    name: str
    zone: str
    ready: bool
    schedulable: bool


class BudgetState(_Event):
    """A PodDisruptionBudget: how many evictions it would grant."""

    kind: Literal["budget"] = "budget"
    name: str
    allowed: int


class EvictionAnswer(_Event):
    """What the API server said to an eviction."""

    kind: Literal["eviction"] = "eviction"
    pod: str
    granted: bool
    message: str = ""


class Note(_Event):
    """A step of the drill in words, for the reader."""

    kind: Literal["note"] = "note"
    text: str


class Trouble(_Event):
    """What the drill itself came upon: it does not apply here, was broken off, or could not do what it was to do."""

    kind: Literal["trouble"] = "trouble"
    check: str
    """What ought to have been, such as `the fault is carried out`."""
    outcome: Outcome
    detail: str


Event = Annotated[
    Phase
    | Acknowledged
    | SendFailed
    | Consumed
    | Read
    | ReadEnd
    | PartitionState
    | QuorumState
    | PodState
    | NodeState
    | BudgetState
    | EvictionAnswer
    | Note
    | Trouble,
    Field(discriminator="kind"),
]
"""One line of a history."""


class Finding(BaseModel):
    """What one check concluded."""

    model_config = ConfigDict(frozen=True)

    check: str
    """What must hold, as it was said before the drill."""
    expectation: str = ""
    """The same as in `About.expectations`, such as `longest-gap=0.3`."""
    outcome: Outcome
    detail: str
    """What was found, with figures; for a failure the first places where it does not hold."""


class About(BaseModel):
    """What a drill was run on; the head of its record."""

    model_config = ConfigDict(frozen=True)

    drill: str
    statement: str
    """What happens, in a sentence."""
    began: float
    context: str
    """Of the kubeconfig."""
    namespace: str
    image: str
    """Of the brokers."""
    kubernetes: str
    """Version of the API server."""
    brokers: tuple[int, ...]
    zones: dict[int, str]
    """Zone of each broker, as the drill began."""
    topic: str
    partitions: int
    replication_factor: int
    min_isr: int
    rate: int
    """Records a second that the producer was told to send."""
    client: str
    """Settings of the producer, as a properties file."""
    expectations: tuple[str, ...]
    """What must hold, said before the drill: names of `drills.checks`, some with a limit, such as `longest-gap=0.3`."""
    seed: int | None = None
