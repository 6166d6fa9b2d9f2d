"""Disruption: what the budget lets an eviction take never stops writes or the quorum, and never blocks every drain."""

from collections.abc import Iterator

from policies.rules.model import Finding, KafkaFacts, Rule, Severity


def tolerated(replication_factor: int, min_isr: int, voters: int) -> int:
    """How many nodes may be gone at once while writes go on and the controllers keep their majority."""
    return max(0, min(replication_factor - min_isr, (voters - 1) // 2))


def _check_budget(facts: KafkaFacts) -> Iterator[Finding]:
    allowed = tolerated(facts.replication_factor, facts.min_isr, facts.voters)
    if not 1 <= facts.max_unavailable <= max(allowed, 1):
        required = f"between 1 and {max(allowed, 1)} pods may be unavailable"
        yield Finding(f"{facts.path}.maxUnavailable", str(facts.max_unavailable), required)


RULES = (
    Rule(
        id="disruption-budget",
        severity=Severity.ERROR,
        why="more stops writes or the quorum during a drain, none blocks every drain; Kubernetes documentation, "
        "PodDisruptionBudget.",
        remedy="Leave it unset: it follows from the replication factor, minInsyncReplicas and controllers.",
        check=_check_budget,
    ),
)
