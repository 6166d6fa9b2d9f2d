"""Charts that Helm expands by itself, out of sight: what they deploy is undecided, and told so."""

import re
from collections.abc import Iterator
from dataclasses import replace

from policies.manifest import Manifest
from policies.readers.untold import untold
from policies.rules.model import ClusterFacts
from policies.world import World

KINDS = (("helm.sh", "Release"),)
_BROKERS = re.compile(r"(?:^|/)(?:kafka|redpanda|cp-kafka|kafka-cluster)(?:-\d[\w.]*\.tgz)?/?$")
_REASON = "Helm expands the chart only when it is deployed; with kubernetes.helm.v4.Chart it would be seen"


def read(world: World, only: Manifest | None = None) -> Iterator[ClusterFacts]:
    """A cluster of which nothing is known, for each release of a broker's chart."""
    for release in world.of(*KINDS[0]) if only is None else (only,):
        chart = release.doc["chart"].plain()
        if release.kind == "Release" and release.group == "helm.sh" and _BROKERS.search(chart):
            path = f"Release {release.name or release.fallback}: chart {chart}"
            name, namespace = release.doc["name"].plain(release.fallback), release.doc["namespace"].plain()
            yield replace(untold(release, _REASON, path), path=path, name=name, namespace=namespace)
