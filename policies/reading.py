"""From Kubernetes objects to the facts that rules judge, by every way of deploying Kafka."""

from collections.abc import Iterator
from types import ModuleType

from policies.manifest import Manifest
from policies.readers import charts, confluent, plain, program, redpanda, strimzi
from policies.rules.model import ClusterFacts
from policies.world import World

_READERS: tuple[ModuleType, ...] = (plain, strimzi, confluent, redpanda, charts)
MAIN_KINDS: frozenset[tuple[str, str]] = frozenset(kind for reader in _READERS for kind in reader.KINDS)
"""Objects that a cluster is read from."""
KINDS: frozenset[tuple[str, str]] = MAIN_KINDS | {
    ("", "ConfigMap"),
    ("", "Service"),
    ("policy", "PodDisruptionBudget"),
    ("storage.k8s.io", "StorageClass"),
    (program.COMPONENTS, "KafkaCluster"),
    (program.COMPONENTS, "KafkaTopic"),
}
"""All objects that matter to a judgement."""


def read(world: World, only: Manifest | None = None) -> list[ClusterFacts]:
    """Every Kafka cluster among the objects; nothing else is one. `only`: the cluster of that object alone."""
    return list(each(world, only))


def each(world: World, only: Manifest | None = None) -> Iterator[ClusterFacts]:
    """The same one by one, for those who need not hold all of them."""
    for reader in _READERS:
        yield from reader.read(world, only)
