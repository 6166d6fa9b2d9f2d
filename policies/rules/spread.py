"""Spread: the replicas of a partition stand in zones that fail one at a time."""

from collections.abc import Iterator

from policies.rules.model import Finding, KafkaFacts, Rule, Severity


def _check_zones(facts: KafkaFacts) -> Iterator[Finding]:
    tolerated = facts.replication_factor - facts.min_isr
    if facts.zones is None or tolerated < 1:  # the latter is min-isr-below-replication-factor's to say
        return
    # Spread evenly, no zone may hold more replicas than can be lost while min ISR of them still stand.
    needed = -(-facts.replication_factor // tolerated)
    if len(facts.zones) < needed:
        found = f"{len(facts.zones)} zones ({', '.join(facts.zones)})"
        replication = f"replication factor {facts.replication_factor} with minInsyncReplicas {facts.min_isr}"
        required = f"{replication} needs at least {needed}"
        yield Finding(facts.zones_path, found, required)


RULES = (
    Rule(
        id="zones",
        severity=Severity.ERROR,
        why="with fewer zones one of them holds so many replicas that its loss stops writes; KIP-36, rack awareness.",
        remedy="Add zones.",
        check=_check_zones,
    ),
)
