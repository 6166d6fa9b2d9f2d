"""The plain data that rules judge, and what they answer. No Pulumi in here: callers bring the facts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
UNCLEAN: Final = "unclean.leader.election.enable"
"""Kafka's setting, of brokers and of topics."""


class Severity(StrEnum):
    """What a violated rule means: `ERROR` stops the deployment, `ADVICE` is only shown."""

    ERROR = "error"
    ADVICE = "advice"


class Outcome(StrEnum):
    """`FAIL`: the rule is violated. `UNDECIDED`: what it needs is not known, which is not the same as safe."""

    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Fact(Generic[T_co]):
    """A value and where it stands. It is known, or absent (`value` is None), or `undecided` says why it can't be
    known. `note` says where a value comes from that nobody wrote, such as a default.
    """

    path: str
    value: T_co | None = None
    undecided: str = ""
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None and not self.undecided

    @property
    def shown(self) -> str:
        """The value as a message shows it."""
        text = "nothing" if self.value is None else str(self.value)
        text = text.lower() if isinstance(self.value, bool) else text
        return f"{text} ({self.note})" if self.note else text


@dataclass(frozen=True)
class TopicFacts:
    """A topic as it would be created; `path` is where its settings stand."""

    path: str
    name: str
    replication_factor: int
    min_isr: int
    unclean: bool = False


@dataclass(frozen=True)
class KafkaFacts:
    """A Kafka cluster that is described by numbers alone, as the components' settings do.

    `path` is where its settings stand (`kafka-ha:kafka`), `zones_path` where the zones do. `zones` is None
    while they are not known. `max_unavailable` is how many brokers their disruption budget lets go at once; where
    the controllers are not `combined` with them, theirs is `controllers_max_unavailable`.
    """

    path: str
    zones_path: str
    brokers: int
    voters: int
    zones: tuple[str, ...] | None
    replication_factor: int
    min_isr: int
    max_unavailable: int
    combined: bool = True
    controllers_max_unavailable: int = 1
    topics: tuple[TopicFacts, ...] = ()


@dataclass(frozen=True)
class Replicas:
    """What is replicated: the default of topics, a topic, one of Kafka's own. `min_isr` and `unclean`, whether a
    replica that is not in sync may lead, are None where it has none of its own.
    """

    name: str
    factor: Fact[int]
    min_isr: Fact[int] | None
    internal: bool = False
    unclean: Fact[bool] | None = None


@dataclass(frozen=True)
class Spread:
    """A constraint on where pods may stand. `matches`: whether its selector selects the pods themselves.
    `exclusive`: at most one pod a domain (anti-affinity), rather than an even spread. `covers` are the paths of the
    cluster's other groups whose pods it selects too. `ordinals` are the pods that it selects where these are only some
    of the group, by their index.
    """

    path: str
    key: str
    hard: bool
    max_skew: int
    matches: bool
    exclusive: bool = False
    covers: frozenset[str] = frozenset()
    ordinals: frozenset[int] | None = None


@dataclass(frozen=True)
class Budget:
    """A disruption budget that selects pods of a group; `allowed` is how many it lets go at once, `unready` whether
    pods that are not ready may always go.
    """

    name: str
    allowed: Fact[int]
    unready: Fact[bool] | None = None


@dataclass(frozen=True)
class Listener:
    """Where clients or brokers connect. `protocol` is Kafka's security protocol."""

    name: str
    protocol: Fact[str]
    outside: bool = False


@dataclass(frozen=True)
class Storage:
    """Where the records of a group's nodes stand, and whether all of them write to one volume. None: does not apply."""

    persistent: Fact[bool]
    keep_on_delete: tuple[Fact[bool], ...] = ()
    access_modes: Fact[tuple[str, ...]] | None = None
    binding_mode: Fact[str] | None = None
    shared: Fact[bool] | None = None


@dataclass(frozen=True)
class Start:
    """How a group's nodes get their identity, start and stop. None: does not apply, an operator sees to it.
    `readiness_asks`: whether readiness asks for more than an open port, as for being in sync.
    """

    headless: Fact[bool] | None = None
    not_ready_addresses: Fact[bool] | None = None
    fixed_node_id: Fact[str] | None = None
    parallel: Fact[bool] | None = None
    readiness_probe: Fact[bool] | None = None
    readiness_asks: bool = False
    liveness_on_cluster: Fact[bool] | None = None
    grace_period: Fact[int] | None = None
    image: Fact[str] | None = None
    requests: Fact[bool] | None = None
    memory_limit: Fact[int] | None = None
    heap: Fact[int] | None = None


@dataclass(frozen=True)
class PodSecurity:
    """What a group's containers may do. None: does not apply."""

    non_root: Fact[bool] | None = None
    restricted: Fact[bool] | None = None
    plain_secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeGroup:
    """Nodes that are deployed alike: a StatefulSet, a Deployment, a node pool. `broker` and `controller` are None
    while it can't be told. `pinned` is the one zone that they may stand in, where there is one.
    """

    path: str
    replicas: Fact[int]
    broker: bool | None = True
    controller: bool | None = False
    pinned: str = ""
    spreads: Fact[tuple[Spread, ...]] | None = None
    budgets: Fact[tuple[Budget, ...]] | None = None
    storage: Storage | None = None
    start: Start | None = None
    security: PodSecurity | None = None


@dataclass(frozen=True)
class ClusterFacts:
    """A Kafka cluster as it would be deployed: what every rule judges.

    A fact that is None does not apply to this cluster, or its caller leaves it to another. `subjects` are the ids of
    the resources that it was read from.
    """

    path: str
    brokers: Fact[int]
    default: Replicas | None = None
    others: tuple[Replicas, ...] = ()
    unclean_election: Fact[bool] | None = None
    voters: Fact[int] | None = None
    combined: Fact[bool] | None = None
    zones: Fact[tuple[str, ...]] | None = None
    rack: Fact[str] | None = None
    groups: tuple[NodeGroup, ...] = ()
    listeners: Fact[tuple[Listener, ...]] | None = None
    authorizer: Fact[bool] | None = None
    namespace: str = ""
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()

    @property
    def replicated(self) -> tuple[Replicas, ...]:
        """The default of topics first, then Kafka's own and the topics."""
        return ((self.default,) if self.default else ()) + self.others


@dataclass(frozen=True)
class Limits:
    """What can be set of the rules."""

    minimum_replication_factor: int = 3
    minimum_min_isr: int = 2
    minimum_voters: int = 3
    minimum_brokers: int = 3
    minimum_grace_period: int = 60
    zone_key: str = "topology.kubernetes.io/zone"
    host_key: str = "kubernetes.io/hostname"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the setting's path, what it holds, what is allowed, and lines that set it right."""

    path: str
    found: str
    required: str
    lines: str = ""


@dataclass(frozen=True)
class Unsure:
    """One thing that can't be decided: the setting's path, and why."""

    path: str
    reason: str


Answer = Finding | Unsure
Check = Callable[[ClusterFacts, Limits], Iterable[Answer]]

_FRAMEWORKS = (
    ("https://kubernetes.io/docs/concepts/security/pod-security-standards", "Kubernetes Pod Security Standards"),
    ("https://kubernetes.io/docs/", "Kubernetes documentation"),
    ("https://kafka.apache.org/documentation/", "Apache Kafka documentation"),
    ("https://cwiki.apache.org/confluence/display/KAFKA/KIP-", "Kafka Improvement Proposals"),
)


@dataclass(frozen=True)
class Rule:
    """One rule. `check` yields a finding for each violation; `why` carries the source of the rule and `url` its
    address, `remedy` is the way out; `lines` are what to write, where that is the same whatever is found.
    `strict_in_production` turns advice into an error where production is set.
    """

    id: str
    severity: Severity
    why: str
    remedy: str
    check: Check
    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    strict_in_production: bool = False
    lines: str = ""

    @property
    def framework(self) -> str:
        """What the rule is taken from, for an audit: the body of rules that its address belongs to."""
        return next(name for prefix, name in _FRAMEWORKS if self.url.startswith(prefix))


@dataclass(frozen=True)
class Verdict:
    """A violated or undecided rule, complete enough to be shown by itself."""

    rule: str
    severity: Severity
    path: str
    found: str
    required: str
    why: str
    remedy: str
    outcome: Outcome = Outcome.FAIL
    url: str = ""
    lines: str = ""

    def __str__(self) -> str:
        if self.outcome is Outcome.UNDECIDED:
            return f"{self.path}: undecided, {self.found}. ({self.rule}: {self.why})"
        text = f"{self.path}: got {self.found}, but {self.required}. {self.remedy} ({self.rule}: {self.why})"
        return f"{text}\n{self.lines}" if self.lines else text
