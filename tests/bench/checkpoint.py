"""A stack's checkpoint (`pulumi stack export`), as far as the benchmark reads and cuts it. Pure."""

from collections import Counter
from typing import Any

Checkpoint = dict[str, Any]

_COMPONENTS = "kafka-ha:"
_ON_THE_CLUSTER = ("kubernetes:", "kafka-ha:index:Kafka", "pulumi-python:dynamic/")


def cluster_only(checkpoint: Checkpoint) -> Checkpoint:
    """The same stack before anything was put on its cluster: cluster and provider stay."""
    kept: list[dict[str, Any]] = []
    gone: set[str] = set()
    for resource in checkpoint["deployment"].get("resources", []):  # what a resource needs stands before it
        needs = {resource.get("parent"), *resource.get("dependencies", [])}
        if resource["type"].startswith(_ON_THE_CLUSTER) or needs & gone:
            gone.add(resource["urn"])
        else:
            kept.append(resource)
    return {**checkpoint, "deployment": {**checkpoint["deployment"], "resources": kept}}


def resources(checkpoint: Checkpoint) -> Counter[str]:
    """How many resources of each type there are, without the components around them."""
    types = (resource["type"] for resource in checkpoint["deployment"].get("resources", []))
    return Counter(type_ for type_ in types if not type_.startswith(_COMPONENTS))


def difference(components: Checkpoint, straight: Checkpoint) -> str | None:
    """What one program deploys and the other does not; None when they deploy the same."""
    ours, theirs = resources(components), resources(straight)
    parts = [f"only the components make {name} ({count})" for name, count in sorted((ours - theirs).items())]
    parts += [
        f"only the straight-line program makes {name} ({count})" for name, count in sorted((theirs - ours).items())
    ]
    return "; ".join(parts) or None
