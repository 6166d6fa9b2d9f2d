"""What is told of a resource that may hold a Kafka, or a part of one, but can't be judged: all of it is undecided."""

from policies.manifest import Manifest
from policies.rules.model import ClusterFacts, Fact, Replicas


def untold(one: Manifest, reason: str, path: str = "") -> ClusterFacts:
    """A cluster of which nothing is known, for a reason; `path` is what it can't be read from."""
    unknown: Fact[int] = Fact(path or one.path, undecided=reason)
    return ClusterFacts(
        path=one.path,
        brokers=unknown,
        default=Replicas("", unknown, unknown),
        namespace=one.namespace or "",
        name=one.name,
        subjects=(one.subject,),
    )
