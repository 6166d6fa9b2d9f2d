"""Quorum: the controllers' majority outlives the loss of a voter, and of a zone."""

from collections.abc import Iterator

from policies.rules.model import Finding, KafkaFacts, Rule, Severity

MINIMUM_VOTERS = 3


def _check_odd(facts: KafkaFacts) -> Iterator[Finding]:
    if facts.voters % 2 == 0:
        yield Finding(f"{facts.path}.controllers", str(facts.voters), "the number of voters must be odd")


def _check_minimum(facts: KafkaFacts) -> Iterator[Finding]:
    if facts.voters < MINIMUM_VOTERS:
        yield Finding(f"{facts.path}.controllers", str(facts.voters), f"at least {MINIMUM_VOTERS} voters are needed")


def _check_nodes(facts: KafkaFacts) -> Iterator[Finding]:
    if facts.voters > facts.brokers:
        required = f"at most the {facts.brokers} nodes of {facts.path}.brokers can vote in combined mode"
        yield Finding(f"{facts.path}.controllers", str(facts.voters), required)


def _check_zone_majority(facts: KafkaFacts) -> Iterator[Finding]:
    if facts.zones is None:
        return
    # Voters are spread evenly over the zones (maxSkew 1): the fullest zone holds the quotient, rounded up.
    fullest = -(-facts.voters // len(facts.zones))
    if fullest > facts.voters // 2:
        found = f"{len(facts.zones)} zones for {facts.voters} voters"
        required = f"one zone would hold {fullest} of them, a majority"
        yield Finding(facts.zones_path, found, required)


RULES = (
    Rule(
        id="odd-voters",
        severity=Severity.ERROR,
        why="an even number of voters tolerates no more failures than one fewer, and can be split in halves; Kafka "
        "documentation, KRaft.",
        remedy="Use 3 controllers, or 5 to outlive two failures.",
        check=_check_odd,
    ),
    Rule(
        id="voters",
        severity=Severity.ERROR,
        why="with fewer voters the loss of one stops the quorum; Kafka documentation, KRaft.",
        remedy="Use 3 controllers, or 5 to outlive two failures.",
        check=_check_minimum,
    ),
    Rule(
        id="voters-fit-nodes",
        severity=Severity.ERROR,
        why="a voter that has no node never votes, and the quorum counts it as failed; KIP-595.",
        remedy="Lower the number of controllers or raise the number of brokers.",
        check=_check_nodes,
    ),
    Rule(
        id="zone-majority",
        severity=Severity.ERROR,
        why="the loss of that zone would stop the quorum; KIP-595, Kubernetes documentation on multiple zones.",
        remedy="Use at least 3 zones.",
        check=_check_zone_majority,
    ),
)
