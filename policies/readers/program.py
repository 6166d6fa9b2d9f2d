"""What this project's own components say besides their Kubernetes objects: the zones, and the topics."""

from policies.manifest import Doc, Manifest
from policies.rules.model import UNCLEAN, ClusterFacts, Fact, Replicas
from policies.world import World

COMPONENTS = "kafka-ha"
"""Group under which the adapter files this project's components."""


def zones_and_topics(facts: ClusterFacts, world: World) -> tuple[Fact[tuple[str, ...]] | None, tuple[Replicas, ...]]:
    """The program's zones and topics, if `facts` is its cluster."""
    if not world.of(COMPONENTS, "KafkaCluster"):
        return None, ()
    owner = next((one for one in world.of(COMPONENTS, "KafkaCluster") if _is(one.doc["settings"], facts)), None)
    if owner is None:
        return None, ()
    zones = tuple(zone.value for zone in owner.doc["zones"].each() if isinstance(zone.value, str))
    path = f"KafkaCluster {owner.fallback}: zones"
    unknown = "" if zones else "the zones are computed by the deployment"
    topics = tuple(found for one in world.of(COMPONENTS, "KafkaTopic") if (found := _topic(one, facts)))
    return Fact(path, zones or None, unknown), topics


def _topic(one: Manifest, facts: ClusterFacts) -> Replicas | None:
    """The topic where it says something of its own; else it has the cluster's."""
    settings = one.doc["settings"]
    path = f"KafkaTopic {settings['name'].plain(one.fallback)}: settings"
    factor, min_isr = settings["replicationFactor"].integer(), settings["minInsyncReplicas"].integer()
    has_factor = factor.value is not None or bool(factor.undecided)
    has_own = min_isr.value is not None or bool(min_isr.undecided)
    unclean = settings["config"][UNCLEAN]
    if facts.default is None or not (has_factor or has_own or not unclean.absent):
        return None
    flag = unclean.flag()
    return Replicas(
        settings["name"].plain(one.fallback),
        Fact(f"{path}.replicationFactor", factor.value, factor.undecided) if has_factor else facts.default.factor,
        Fact(f"{path}.minInsyncReplicas", min_isr.value, min_isr.undecided) if has_own else None,
        unclean=None if unclean.absent else Fact(f"{path}.config[{UNCLEAN}]", flag.value, flag.undecided),
    )


def _is(settings: Doc, facts: ClusterFacts) -> bool:
    return settings["name"].value == facts.name and settings["namespace"].value == facts.namespace
