"""Quorum: the controllers' majority outlives the loss of a voter, and of a zone."""

from collections import Counter
from collections.abc import Iterator

from policies.rules.deciding import known, unsure
from policies.rules.model import Answer, ClusterFacts, Finding, Limits, Rule, Severity

_KRAFT = "https://kafka.apache.org/documentation/#kraft"


def _odd(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    yield from unsure(facts.voters)
    if facts.voters and (voters := known(facts.voters)) is not None and voters % 2 == 0:
        yield Finding(facts.voters.path, facts.voters.shown, "the number of voters must be odd")


def _minimum(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    yield from unsure(facts.voters)
    if facts.voters and (voters := known(facts.voters)) is not None and voters < limits.minimum_voters:
        yield Finding(facts.voters.path, facts.voters.shown, f"at least {limits.minimum_voters} voters are needed")


def _nodes(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    """Each voter is a node: in combined mode a broker, else one of the groups of controllers."""
    voters = known(facts.voters)
    holding = [group for group in facts.groups if group.controller]
    if voters is None or not facts.voters or not holding:
        return
    counts = [group.replicas for group in holding]
    yield from unsure(*counts)
    nodes = [known(count) for count in counts]
    total = sum(count for count in nodes if count is not None)
    if None in nodes or voters <= total:
        return
    in_combined = "in combined mode " if any(group.broker for group in holding) else ""
    required = f"at most the {total} nodes of {holding[0].replicas.path} can vote {in_combined}".rstrip()
    yield Finding(facts.voters.path, facts.voters.shown, required)


def _zone_majority(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    if facts.zones is None or facts.voters is None:
        return
    yield from unsure(facts.zones)
    yield from unsure(facts.voters)
    zones, voters = known(facts.zones), known(facts.voters)
    if not zones or voters is None:
        return
    pinned: Counter[str] = Counter()
    for group in facts.groups:
        if group.controller is not False and group.pinned:
            pinned[group.pinned] += known(group.replicas) or 0
    # Voters are spread evenly over the zones (maxSkew 1): the fullest zone holds the quotient, rounded up.
    even, unlucky = -(-voters // len(zones)), _unlucky(facts, voters, len(zones))
    fullest = max(pinned.values(), default=max(even, unlucky))
    if fullest > voters // 2:
        by_chance = not pinned and even <= voters // 2
        found = f"{len(zones)} zones for {voters} voters{' that are spread among other nodes' if by_chance else ''}"
        required = f"one zone {'may' if by_chance else 'would'} hold {fullest} of them, a majority"
        yield Finding(facts.zones.path, found, required)


def _unlucky(facts: ClusterFacts, voters: int, zones: int) -> int:
    """How many voters may share a zone where they are only some of the nodes that are spread: the scheduler does not
    know which pods vote. No constraint can tell it: of those over one key the API server takes one with DoNotSchedule.
    """
    most = 0
    for group in facts.groups:
        nodes = known(group.replicas)
        some_vote = group.controller and group.spreads is not None and nodes is not None and voters < nodes
        if some_vote and nodes is not None:
            most = max(most, min(voters, -(-nodes // zones)))
    return most


def _combined(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    yield from unsure(facts.combined)
    if facts.combined and known(facts.combined):
        yield Finding(facts.combined.path, "nodes that are broker and controller", "production separates them")


RULES = (
    Rule(
        id="odd-voters",
        severity=Severity.ERROR,
        why="an even number of voters tolerates no more failures than one fewer, and can be split in halves; Kafka "
        "documentation, KRaft.",
        remedy="Use 3 controllers, or 5 to outlive two failures.",
        check=_odd,
        url=_KRAFT,
    ),
    Rule(
        id="voters",
        severity=Severity.ERROR,
        why="with fewer voters the loss of one stops the quorum; Kafka documentation, KRaft.",
        remedy="Use 3 controllers, or 5 to outlive two failures.",
        check=_minimum,
        url=_KRAFT,
        parameters={"minimum": "minimum_voters"},
    ),
    Rule(
        id="voters-fit-nodes",
        severity=Severity.ERROR,
        why="a voter that has no node never votes, and the quorum counts it as failed; KIP-595.",
        remedy="Lower the number of controllers or raise the number of brokers.",
        check=_nodes,
        url="https://cwiki.apache.org/confluence/display/KAFKA/KIP-595",
    ),
    Rule(
        id="zone-majority",
        severity=Severity.ERROR,
        why="the loss of that zone would stop the quorum; KIP-595, Kubernetes documentation on multiple zones.",
        remedy="Use at least 3 zones; where only some nodes vote, give the controllers a StatefulSet of their own.",
        check=_zone_majority,
        url="https://kubernetes.io/docs/setup/best-practices/multiple-zones/",
    ),
    Rule(
        id="combined-mode",
        severity=Severity.ADVICE,
        why="brokers and controllers that share a process can't be rolled or scaled apart, and a busy broker slows "
        "the quorum; Kafka documentation, KRaft: not for critical deployments.",
        remedy="Give the controllers a StatefulSet or node pool of their own.",
        check=_combined,
        url=_KRAFT,
        strict_in_production=True,
    ),
)
