"""From a cluster that is described by numbers alone to the facts that rules judge."""

from dataclasses import replace

from policies.rules.model import UNCLEAN, Budget, ClusterFacts, Fact, KafkaFacts, NodeGroup, Replicas, TopicFacts


def cluster_of(facts: KafkaFacts) -> ClusterFacts:
    """The facts of `facts`; what numbers don't say does not apply."""
    at = facts.path
    brokers = Fact(f"{at}.brokers", facts.brokers)
    voters = Fact(f"{at}.controllers", facts.voters)
    if facts.combined:
        voters = Fact(brokers.path, facts.voters, note="each broker votes")
    nodes = [_group(at, brokers, facts.max_unavailable, controller=facts.combined)]
    if not facts.combined:
        nodes.append(_group(f"{at}.controllers", voters, facts.controllers_max_unavailable, broker=False))
    zones: Fact[tuple[str, ...]] = (
        Fact(facts.zones_path, undecided="the zones are not known yet")
        if facts.zones is None
        else Fact(facts.zones_path, facts.zones)
    )
    return ClusterFacts(
        path=at,
        brokers=brokers,
        default=_replicas("", at, facts.replication_factor, facts.min_isr),
        others=tuple(map(_topic, facts.topics)),
        voters=voters,
        combined=Fact(f"{at}.dedicatedControllers", facts.combined),
        zones=zones,
        groups=tuple(nodes),
    )


def _group(path: str, replicas: Fact[int], allowed: int, *, broker: bool = True, controller: bool = True) -> NodeGroup:
    budget = Budget(path, Fact(f"{path}.maxUnavailable", allowed))
    return NodeGroup(path, replicas, broker, controller, budgets=Fact(path, (budget,)))


def _topic(one: TopicFacts) -> Replicas:
    replicas = _replicas(one.name, one.path, one.replication_factor, one.min_isr)
    return replace(replicas, unclean=Fact(f"{one.path}.config[{UNCLEAN}]", one.unclean))


def _replicas(name: str, path: str, factor: int, min_isr: int) -> Replicas:
    return Replicas(name, Fact(f"{path}.replicationFactor", factor), Fact(f"{path}.minInsyncReplicas", min_isr))
