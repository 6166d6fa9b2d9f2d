"""Arbitrary property bags never crash the rules, and never pass as safe because they could not be read."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.configuration import Configuration
from policies.judgement import tell
from policies.manifest import UNKNOWN, manifest
from policies.world import World
from tests.policies.manifests import base, changed, places

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(UNKNOWN), st.just("9" * 400)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
TODAY = date(2026, 6, 1)
KINDS = (
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "Deployment"),
    ("kafka.strimzi.io/v1", "Kafka"),
    ("kafka.strimzi.io/v1", "KafkaNodePool"),
    ("kafka.strimzi.io/v1", "KafkaTopic"),
    ("cluster.redpanda.com/v1alpha2", "Redpanda"),
    ("cluster.redpanda.com/v1alpha2", "NodePool"),
    ("cluster.redpanda.com/v1alpha2", "Topic"),
    ("platform.confluent.io/v1beta1", "Kafka"),
    ("platform.confluent.io/v1beta1", "KRaftController"),
    ("platform.confluent.io/v1beta1", "KafkaTopic"),
    ("helm.sh/v3", "Release"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Pod"),
    ("apps/v1", "DaemonSet"),
    ("storage.k8s.io/v1", "StorageClass"),
)
NAMES = ("official", "confluent", "bitnami", "own", "strimzi", "cfk", "redpanda")


PLACES = {name: places(base(name)) for name in NAMES}


def told(documents: list[Any]) -> list[Any]:
    objects = [manifest(one) for one in documents if isinstance(one, dict)]
    return list(tell(World(objects), Configuration(), TODAY))


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_a_changed_place_never_crashes(name: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([place for place in PLACES[name] if place]))
    documents = changed(name, place, data.draw(VALUES))
    assert "readable" not in {one.verdict.rule for one in told(documents)}, "nothing ended in an unforeseen error"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), VALUES, VALUES)
def test_arbitrary_objects_never_crash(kind: tuple[str, str], metadata: Any, spec: Any) -> None:
    arbitrary = {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": spec, "data": spec}
    assert "readable" not in {one.verdict.rule for one in told([arbitrary, *base("official"), *base("redpanda")])}


@pytest.mark.parametrize("name", NAMES)
def test_unknown_values_are_never_passed_in_silence(name: str) -> None:
    """Whatever one value becomes unknown, either nothing depends on it or it is told."""
    usual = {str(one.verdict) for one in told(base(name))}
    silent = []
    for place in PLACES[name]:
        if "replication.factor" not in str(place[-1:]) and place[-1:] not in (("replicas",), ("maxUnavailable",)):
            continue
        if {str(one.verdict) for one in told(changed(name, place, UNKNOWN))} <= usual:
            silent.append(place)
    assert silent == []


@pytest.mark.parametrize("name", NAMES)
def test_values_of_variables_are_never_shown(name: str) -> None:
    """A value may be a secret: Pulumi hands it to policies in the clear."""
    for place in PLACES[name]:
        if place[-1:] != ("value",) and place[-2:-1] != ("args",):
            continue
        found = [str(one.verdict) for one in told(changed(name, place, "hunter-two"))]
        assert not [one for one in found if "hunter-two" in one]
