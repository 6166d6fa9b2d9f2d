"""From a cluster that is described by numbers alone to the facts that rules judge."""

from policies.rules.model import Budget, ClusterFacts, Fact, KafkaFacts, NodeGroup, Replicas


def cluster_of(facts: KafkaFacts) -> ClusterFacts:
    """The facts of `facts`; what numbers don't say does not apply."""
    at = facts.path
    brokers = Fact(f"{at}.brokers", facts.brokers)
    budget = Budget("", Fact(f"{at}.maxUnavailable", facts.max_unavailable))
    zones: Fact[tuple[str, ...]] = (
        Fact(facts.zones_path, undecided="the zones are not known yet")
        if facts.zones is None
        else Fact(facts.zones_path, facts.zones)
    )
    return ClusterFacts(
        path=at,
        brokers=brokers,
        default=_replicas("", at, facts.replication_factor, facts.min_isr),
        others=tuple(_replicas(one.name, one.path, one.replication_factor, one.min_isr) for one in facts.topics),
        voters=Fact(f"{at}.controllers", facts.voters),
        combined=None,
        zones=zones,
        groups=(NodeGroup(at, brokers, broker=True, controller=True, budgets=Fact(at, (budget,))),),
    )


def _replicas(name: str, path: str, factor: int, min_isr: int) -> Replicas:
    return Replicas(name, Fact(f"{path}.replicationFactor", factor), Fact(f"{path}.minInsyncReplicas", min_isr))
