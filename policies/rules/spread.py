"""Spread: the replicas of a partition stand in zones, and on hosts, that fail one at a time."""

from collections.abc import Iterator

from policies.rules.deciding import known, unsure
from policies.rules.model import Answer, ClusterFacts, Finding, Limits, NodeGroup, Rule, Severity, Spread
from policies.rules.replication import effective_min_isr

_CONSTRAINTS = "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/"
_MULTI = 2  # fewer pods can't be spread


def _zones(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    if facts.zones is None or facts.default is None:
        return
    yield from unsure(facts.zones)
    zones = known(facts.zones)
    factor, min_isr = known(facts.default.factor), known(facts.default.min_isr)
    if zones is None or factor is None or min_isr is None:
        return
    tolerated = factor - min_isr
    if tolerated < 1:  # this is min-isr-below-replication-factor's to say
        return
    # Spread evenly, no zone may hold more replicas than can be lost while min ISR of them still stand.
    needed = -(-factor // tolerated)
    if len(zones) < needed:
        found = f"{len(zones)} zones ({', '.join(zones)})"
        replication = f"replication factor {factor} with minInsyncReplicas {min_isr}"
        yield Finding(facts.zones.path, found, f"{replication} needs at least {needed}")


def spread_lines(key: str) -> str:
    """A constraint over `key`, as it is written; the selector is the reader's own labels."""
    return (
        "topologySpreadConstraints:\n"
        f"- topologyKey: {key}\n"
        "  maxSkew: 1\n"
        "  whenUnsatisfiable: DoNotSchedule\n"
        "  labelSelector:\n"
        "    matchLabels: {}  # the pod template's own labels"
    )


def _share(one: NodeGroup, other: NodeGroup) -> bool:
    """Whether groups hold nodes of the same role: what is spread is a role's nodes, whichever group they are in."""
    brokers = one.broker is not False and other.broker is not False
    return brokers or (one.controller is not False and other.controller is not False)


def _why_not(spread: Spread, group: NodeGroup, facts: ClusterFacts, place: str) -> str:
    if not spread.matches:
        return "its selector does not select the pods themselves"
    if spread.ordinals is not None:
        return "it selects only some of the pods, by their index"
    if not spread.hard:
        return "it is only preferred (ScheduleAnyway)"
    if spread.max_skew > 1:
        return f"its maxSkew is {spread.max_skew}"
    for other in facts.groups:
        if other.path == group.path or other.pinned:
            continue
        if _share(group, other) and other.path not in spread.covers:
            return f"it leaves out the pods of {other.path}, which may all stand beside them"
        # Hosts are many: there a pod of another role takes no place that a pod of this one needs.
        if not _share(group, other) and other.path in spread.covers and not spread.exclusive and place == "zones":
            return f"it counts the pods of {other.path} in, which may fill the other places"
    return ""


def _over(facts: ClusterFacts, group: NodeGroup, keys: tuple[str, ...], place: str) -> Iterator[Answer]:
    """`keys`: the first is the one to use; an exclusive spread over a later one is as good."""
    if group.spreads is None:
        return
    yield from unsure(group.spreads)
    spreads, replicas = known(group.spreads), known(group.replicas)
    others = [other for other in facts.groups if other.path != group.path and _share(group, other)]
    alone = all(group.pinned and other.pinned and other.pinned != group.pinned for other in others)
    if spreads is None or (replicas is not None and replicas < _MULTI and alone):
        return
    here = [spread for spread in spreads if spread.key == keys[0]]
    here += [spread for spread in spreads if spread.key in keys[1:] and spread.exclusive]
    here.sort(key=lambda spread: spread.ordinals is not None)  # one of some pods alone is the least to tell of
    reasons = [_why_not(spread, group, facts, place) for spread in here]
    if "" in reasons:
        return
    lines = spread_lines(keys[0])
    if here:
        found = f"a spread over {here[0].key} that does not hold: {reasons[0]}"
        yield Finding(here[0].path, found, f"the pods must be kept apart over {place}", lines)
    else:
        yield Finding(group.spreads.path, "nothing", f"the pods must be kept apart over {place} ({keys[0]})", lines)


def _over_zones(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        if not group.pinned:  # then its zone is settled, and zones says whether there are enough
            yield from _over(facts, group, (limits.zone_key,), "zones")


def _over_hosts(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        keys = (limits.host_key,) if group.pinned else (limits.host_key, limits.zone_key)
        yield from _over(facts, group, keys, "hosts")


def _rack(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    """A rack is needed where a partition's replicas are fewer than the brokers: Kafka must choose among zones."""
    if facts.rack is None:
        return
    brokers = known(facts.brokers)
    # A factor below the minimum is replication-factor's to say; here it counts as set right.
    factors = [max(known(one.factor) or 0, limits.minimum_replication_factor) for one in facts.replicated]
    if brokers is not None and brokers <= min(factors, default=0):
        return
    # Nor is one needed where a zone has no more brokers than a partition may lose.
    zones, tolerated = known(facts.zones), tolerance(facts)
    if brokers is not None and zones and tolerated is not None and -(-brokers // len(zones)) <= tolerated:
        return
    yield from unsure(facts.rack, facts.brokers)
    if facts.rack.undecided or brokers is None:
        return
    key = facts.rack.value
    if key is None:
        yield Finding(facts.rack.path, "no rack", f"it must say the node's {limits.zone_key}")
    elif key not in ("", limits.zone_key):  # "": set, from a source that is not told
        yield Finding(facts.rack.path, key, f"it must be the key of the spread, {limits.zone_key}")


def tolerance(facts: ClusterFacts) -> int | None:
    """How many replicas of any partition may be gone while writes go on; None while it is not known."""
    left = []
    for one in facts.replicated:
        factor, min_isr = known(one.factor), known(effective_min_isr(one, facts))
        if factor is not None and min_isr is not None:
            left.append(factor - min_isr)
    return min(left, default=None)


RULES = (
    Rule(
        id="zones",
        severity=Severity.ERROR,
        why="with fewer zones one of them holds so many replicas that its loss stops writes; KIP-36, rack awareness.",
        remedy="Add zones.",
        check=_zones,
        url="https://cwiki.apache.org/confluence/display/KAFKA/KIP-36+Rack+aware+replica+assignment",
    ),
    Rule(
        id="zone-spread",
        severity=Severity.ERROR,
        why="the scheduler may place the pods in one zone, whose loss is then the loss of all; Kubernetes "
        "documentation, topology spread constraints.",
        remedy="Spread the pods over zones: maxSkew 1, DoNotSchedule, a selector of the pod's own labels.",
        check=_over_zones,
        url=_CONSTRAINTS,
        parameters={"key": "zone_key"},
    ),
    Rule(
        id="host-spread",
        severity=Severity.ERROR,
        why="the scheduler may place pods on one host, whose loss takes them at once; Kubernetes documentation, "
        "topology spread constraints.",
        remedy="Spread the pods over hosts, or use a required anti-affinity over kubernetes.io/hostname.",
        check=_over_hosts,
        url=_CONSTRAINTS,
        parameters={"key": "host_key"},
    ),
    Rule(
        id="rack",
        severity=Severity.ERROR,
        why="Kafka places the replicas of a partition over racks, not over zones that it does not know of; KIP-36.",
        remedy="Set broker.rack to the node's zone, by the same key as the pods' spread.",
        check=_rack,
        url="https://cwiki.apache.org/confluence/display/KAFKA/KIP-36+Rack+aware+replica+assignment",
    ),
)
