"""Replication: an acknowledged record stands on enough brokers to outlive the loss of one."""

from collections.abc import Iterator

from policies.rules.deciding import known, unsure
from policies.rules.model import Answer, ClusterFacts, Fact, Finding, Limits, Replicas, Rule, Severity

_KAFKA = "https://kafka.apache.org/documentation/#"


def effective_min_isr(one: Replicas, facts: ClusterFacts) -> Fact[int] | None:
    """The minimum ISR that applies to `one`: its own, else the cluster's default."""
    return one.min_isr if one.min_isr else facts.default.min_isr if facts.default else None


def _minimum(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for one in facts.replicated:
        if one.internal:
            continue
        yield from unsure(one.factor)
        if (factor := known(one.factor)) is not None and factor < limits.minimum_replication_factor:
            required = f"at least {limits.minimum_replication_factor} is needed"
            yield Finding(one.factor.path, one.factor.shown, required)


def _fits_brokers(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    yield from unsure(facts.brokers)
    brokers = known(facts.brokers)
    for one in facts.replicated:
        yield from unsure(one.factor)
        factor = known(one.factor)
        if brokers is not None and factor is not None and factor > brokers:
            required = f"at most the {brokers} brokers of {facts.brokers.path} can each hold a replica"
            yield Finding(one.factor.path, one.factor.shown, required)


def _min_isr(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for one in facts.replicated:
        if one.internal or one.min_isr is None:
            continue
        yield from unsure(one.min_isr)
        if (min_isr := known(one.min_isr)) is not None and min_isr < limits.minimum_min_isr:
            yield Finding(one.min_isr.path, one.min_isr.shown, f"at least {limits.minimum_min_isr} is needed")


def _min_isr_below(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for one in facts.replicated:
        own = effective_min_isr(one, facts)
        yield from unsure(one.factor, own)
        factor, min_isr = known(one.factor), known(own)
        if own is None or factor is None or min_isr is None or min_isr < factor:
            continue
        if one.min_isr is None:
            yield Finding(one.factor.path, one.factor.shown, f"it must be above the minimum ISR, {min_isr}")
        else:
            yield Finding(own.path, own.shown, f"it must be below the replication factor, {factor}")


def _internal(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for one in facts.replicated:
        if not one.internal:
            continue
        yield from unsure(one.factor, one.min_isr)
        if (factor := known(one.factor)) is not None and factor < limits.minimum_replication_factor:
            required = f"at least {limits.minimum_replication_factor} is needed for {one.name}"
            yield Finding(one.factor.path, one.factor.shown, required)
        if one.min_isr and (min_isr := known(one.min_isr)) is not None and min_isr < limits.minimum_min_isr:
            required = f"at least {limits.minimum_min_isr} is needed for {one.name}"
            yield Finding(one.min_isr.path, one.min_isr.shown, required)


def _unclean(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for unclean in (facts.unclean_election, *(one.unclean for one in facts.others)):
        yield from unsure(unclean)
        if unclean and known(unclean):
            yield Finding(unclean.path, unclean.shown, "it must be false")


RULES = (
    Rule(
        id="replication-factor",
        severity=Severity.ERROR,
        why="with fewer replicas the loss of one broker stops writes or loses records; Kafka documentation, "
        "default.replication.factor.",
        remedy="Set it to 3, with at least 3 brokers.",
        check=_minimum,
        url=_KAFKA + "brokerconfigs_default.replication.factor",
        parameters={"minimum": "minimum_replication_factor"},
    ),
    Rule(
        id="replication-fits-brokers",
        severity=Severity.ERROR,
        why="a topic with more replicas than brokers can't be created; Kafka's InvalidReplicationFactorException.",
        remedy="Lower the replication factor or raise the number of brokers.",
        check=_fits_brokers,
        url=_KAFKA + "brokerconfigs_default.replication.factor",
    ),
    Rule(
        id="min-isr",
        severity=Severity.ERROR,
        why="with 1 a record is acknowledged that only one broker holds, and is lost with it; Kafka documentation, "
        "min.insync.replicas.",
        remedy="Set it to 2.",
        check=_min_isr,
        url=_KAFKA + "brokerconfigs_min.insync.replicas",
        parameters={"minimum": "minimum_min_isr"},
    ),
    Rule(
        id="min-isr-below-replication-factor",
        severity=Severity.ERROR,
        why="where every replica must be in sync, each restart of a broker stops writes; Kafka documentation, "
        "min.insync.replicas.",
        remedy="Lower minInsyncReplicas or raise replicationFactor.",
        check=_min_isr_below,
        url=_KAFKA + "brokerconfigs_min.insync.replicas",
    ),
    Rule(
        id="internal-topics",
        severity=Severity.ERROR,
        why="with fewer replicas the loss of one broker stops consumer groups or transactions, whatever the topics "
        "have; Kafka documentation, offsets.topic.replication.factor.",
        remedy="Set the replication factors to 3 and the minimum ISR to 2.",
        check=_internal,
        url=_KAFKA + "brokerconfigs_offsets.topic.replication.factor",
    ),
    Rule(
        id="unclean-election",
        severity=Severity.ERROR,
        why="a replica that is not in sync becomes the leader, and acknowledged records are gone; Kafka "
        "documentation, unclean.leader.election.enable.",
        remedy="Set it to false, or leave it out.",
        check=_unclean,
        url=_KAFKA + "brokerconfigs_unclean.leader.election.enable",
    ),
)
