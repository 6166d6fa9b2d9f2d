"""What the readers of operators' resources share: settings under a mapping, topics, budgets of the operator's own."""

from collections.abc import Iterable
from dataclasses import replace

from policies.manifest import Doc
from policies.readers.budgets import allowed
from policies.readers.sources import literal
from policies.readers.typed import TypedSettings
from policies.readers.versions import Version, default_of
from policies.rules.model import UNCLEAN, Budget, Fact, NodeGroup, Replicas
from policies.world import PENDING, World

_INTERNAL = (("transactions", "transaction.state.log"), ("share groups", "share.coordinator.state.topic"))


class Config(TypedSettings):
    """Broker settings that a custom resource holds as keys and values. `open_reason` says why an absent one may still
    be set, by the operator; empty where Kafka's default holds.
    """

    def __init__(self, values: dict[str, Fact[str]], path: str, version: Version | None, open_reason: str = "") -> None:
        self.values = values
        self.path = path
        self.version = version
        self.open_reason = open_reason

    def text(self, key: str) -> Fact[str]:
        """The setting, or the version's default."""
        if key in self.values:
            return self.values[key]
        path = f"{self.path}[{key}]"
        value, note = default_of(key, self.version)
        if self.open_reason and value is not None:
            return Fact(path, undecided=self.open_reason)
        return Fact(path, value, note=note if value is not None else "")

    def default(self) -> Replicas:
        """What topics have that say nothing."""
        return Replicas("", self.number("default.replication.factor"), self.number("min.insync.replicas"))

    def internal(self) -> tuple[Replicas, ...]:
        """Kafka's own topics, as far as this version has them."""
        own = [Replicas("offsets", self.number("offsets.topic.replication.factor"), None, internal=True)]
        for name, prefix in _INTERNAL:
            factor = self.number(f"{prefix}.replication.factor")
            if factor.value is not None or factor.undecided:
                own.append(Replicas(name, factor, self.number(f"{prefix}.min.isr"), internal=True))
        return tuple(own)


def config_of(doc: Doc, version: Version | None, open_reason: str = "") -> Config:
    """The settings of a mapping."""
    if doc.unknown or not doc.whole:
        open_reason = f"{doc.path} is computed by the deployment"
    values = {key: _told(value, f"{doc.path}[{key}]") for key, value in doc.items()}
    return Config(values, doc.path, version, open_reason)


def _told(value: Doc, path: str) -> Fact[str]:
    text = value.text()
    return literal(path, text.value) if text.value is not None else Fact(path, undecided=text.undecided)


def topic(name: str, path: str, factor: Doc, config: Doc) -> Replicas:
    """A topic that a resource describes."""
    own = config["min.insync.replicas"].integer()
    at = f"{path}: {config.path}"
    count = factor.integer()
    has_own = own.value is not None or bool(own.undecided)
    unclean = config[UNCLEAN].flag()
    return Replicas(
        name,
        Fact(f"{path}: {factor.path}", count.value, count.undecided),
        Fact(f"{at}[min.insync.replicas]", own.value, own.undecided) if has_own else None,
        unclean=None if config[UNCLEAN].absent else Fact(f"{at}[{UNCLEAN}]", unclean.value, unclean.undecided),
    )


def with_default(topics: Iterable[Replicas], factor: Fact[int]) -> tuple[Replicas, ...]:
    """The topics that say something of their own; one without replicas has the cluster's `factor`."""
    filled = (one if one.factor.known or one.factor.undecided else replace(one, factor=factor) for one in topics)
    return tuple(one for one in filled if one.factor is not factor or one.min_isr or one.unclean)


def total(groups: Iterable[NodeGroup], world: World, path: str, pools: str = "node pool") -> Fact[int]:
    """How many nodes groups have together."""
    counted = list(groups)
    if not world.complete:
        return Fact(counted[0].replicas.path if counted else path, undecided=PENDING)
    if not counted:
        return Fact(path, undecided=f"no {pools} is among these resources")
    undecided = next((group.replicas.undecided for group in counted if group.replicas.undecided), "")
    missing = any(group.replicas.value is None for group in counted)
    if undecided or missing:
        return Fact(counted[0].replicas.path, undecided=undecided or "the number of replicas is not set")
    return Fact(counted[0].replicas.path, sum(group.replicas.value or 0 for group in counted))


def operator_budget(name: str, maximum: Doc, pods: Fact[int]) -> Fact[tuple[Budget, ...]]:
    """The budget that an operator makes: one pod at a time, unless its resource says otherwise."""
    if maximum.absent:
        return Fact(maximum.path, (Budget(name, Fact(maximum.path, 1, note="the operator's default")),))
    return Fact(maximum.path, (Budget(name, allowed(maximum, Doc(None), pods)),))
