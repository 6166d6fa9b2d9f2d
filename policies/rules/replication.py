"""Replication: an acknowledged record stands on enough brokers to outlive the loss of one."""

from collections.abc import Iterator

from policies.rules.model import Finding, KafkaFacts, Rule, Severity

MINIMUM_REPLICATION_FACTOR = 3
MINIMUM_IN_SYNC = 2


def _replication_factors(facts: KafkaFacts) -> Iterator[tuple[str, int, int]]:
    """The path, replication factor and minimum ISR of the cluster's default and of every topic."""
    yield facts.path, facts.replication_factor, facts.min_isr
    for topic in facts.topics:
        yield topic.path, topic.replication_factor, topic.min_isr


def _check_minimum(facts: KafkaFacts) -> Iterator[Finding]:
    for path, factor, _ in _replication_factors(facts):
        if factor < MINIMUM_REPLICATION_FACTOR:
            yield Finding(f"{path}.replicationFactor", str(factor), f"at least {MINIMUM_REPLICATION_FACTOR} is needed")


def _check_brokers(facts: KafkaFacts) -> Iterator[Finding]:
    for path, factor, _ in _replication_factors(facts):
        if factor > facts.brokers:
            required = f"at most the {facts.brokers} brokers of {facts.path}.brokers can each hold a replica"
            yield Finding(f"{path}.replicationFactor", str(factor), required)


def _check_min_isr(facts: KafkaFacts) -> Iterator[Finding]:
    for path, _, min_isr in _replication_factors(facts):
        if min_isr < MINIMUM_IN_SYNC:
            yield Finding(f"{path}.minInsyncReplicas", str(min_isr), f"at least {MINIMUM_IN_SYNC} is needed")


def _check_min_isr_below(facts: KafkaFacts) -> Iterator[Finding]:
    for path, factor, min_isr in _replication_factors(facts):
        if min_isr >= factor:
            required = f"it must be below the replication factor, {factor}"
            yield Finding(f"{path}.minInsyncReplicas", str(min_isr), required)


RULES = (
    Rule(
        id="replication-factor",
        severity=Severity.ERROR,
        why="with fewer replicas the loss of one broker stops writes or loses records; Kafka documentation, "
        "default.replication.factor.",
        remedy="Set it to 3, with at least 3 brokers.",
        check=_check_minimum,
    ),
    Rule(
        id="replication-fits-brokers",
        severity=Severity.ERROR,
        why="a topic with more replicas than brokers can't be created; Kafka's InvalidReplicationFactorException.",
        remedy="Lower the replication factor or raise the number of brokers.",
        check=_check_brokers,
    ),
    Rule(
        id="min-isr",
        severity=Severity.ERROR,
        why="with 1 a record is acknowledged that only one broker holds, and is lost with it; Kafka documentation, "
        "min.insync.replicas.",
        remedy="Set it to 2.",
        check=_check_min_isr,
    ),
    Rule(
        id="min-isr-below-replication-factor",
        severity=Severity.ERROR,
        why="where every replica must be in sync, each restart of a broker stops writes; Kafka documentation, "
        "min.insync.replicas.",
        remedy="Lower minInsyncReplicas or raise replicationFactor.",
        check=_check_min_isr_below,
    ),
)
