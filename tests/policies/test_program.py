"""This project's own manifests before the rules: judged whole, from where its settings stand now."""

from typing import Any

import pytest
import yaml

from components.kafka_settings import TopicSettings
from components.settings import read_settings
from policies.manifest import Doc, Manifest, manifest
from policies.readers.program import COMPONENTS
from policies.reading import read
from policies.rules import ClusterFacts, Outcome, Severity, examine
from policies.world import World
from tests.own import own_objects
from tests.policies.manifests import rules
from tests.stack import ROOT

ZONES = ("zone-a", "zone-b", "zone-c")
DEDICATED: dict[str, Any] = {"dedicatedControllers": {}}
STACKS = {
    path.name: yaml.safe_load(path.read_text())["config"].get("kafka-ha:kafka", {})
    for path in sorted(ROOT.glob("Pulumi.*.yaml"))
}
VARIANTS: dict[str, dict[str, Any]] = {
    **STACKS,
    "dedicated": DEDICATED,
    "tolerant": DEDICATED | {"faultTolerance": 2, "brokers": 6},
    "tolerant and combined": {"faultTolerance": 2, "storage": {"volumes": 2}},
    "secured": {"security": {}},
    "labelled": {"nodePool": {"nodeSelector": {"pool": "kafka"}, "tolerations": [{"key": "kafka"}]}},
}


def facts_of(documents: list[dict[str, Any]], *others: Manifest, **settings: Any) -> ClusterFacts:
    """The one cluster of the program's objects and of its component, which knows the zones."""
    config = {"cluster": {"kind": "existing", "zones": list(ZONES)}, "kafka": settings}
    kafka = read_settings(config).kafka
    own = {"name": kafka.name, "namespace": kafka.namespace}
    component = Manifest(COMPONENTS, "KafkaCluster", Doc({"settings": own, "zones": list(ZONES)}))
    (facts,) = read(World([*(manifest(one) for one in documents), component, *others]))
    return facts


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_safe_and_nothing_of_it_is_undecided(name: str) -> None:
    facts = facts_of(own_objects(ZONES, **VARIANTS[name]), **VARIANTS[name])
    found = examine(facts)
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
    assert rules(found, Outcome.UNDECIDED) == set()
    combined = {"combined-mode"} if VARIANTS[name].get("dedicatedControllers") is None else set()
    plaintext = {"tls", "authorizer"} if VARIANTS[name].get("security") is None else set()
    assert rules(found) == plaintext | combined


def test_it_is_read_as_it_is_set() -> None:
    settings = DEDICATED | {"faultTolerance": 2, "brokers": 6, "maxUnavailable": 2}
    facts = facts_of(own_objects(ZONES, **settings), **settings)
    assert facts.default
    assert (facts.default.factor.value, facts.default.min_isr and facts.default.min_isr.value) == (4, 2)
    assert (facts.brokers.value, facts.voters and facts.voters.value) == (6, 5)
    assert facts.combined
    assert facts.combined.value is False
    roles = {group.path: (group.broker, group.controller) for group in facts.groups}
    assert roles == {
        "StatefulSet kafka/kafka-controller": (False, True),
        "StatefulSet kafka/kafka": (True, False),
    }
    budgets = [[one.allowed.value for one in group.budgets.value or ()] for group in facts.groups if group.budgets]
    assert budgets == [[1], [2]]


@pytest.mark.parametrize(("value", "expected"), [("true", {"unclean-election"}), ("false", set())])
def test_a_topic_of_the_program_is_judged(value: str, expected: set[str]) -> None:
    settings = TopicSettings(name="orders", config={"unclean.leader.election.enable": value})
    topic = Manifest(COMPONENTS, "KafkaTopic", Doc({"settings": settings.as_inputs()}))
    facts = facts_of(own_objects(ZONES), topic)
    assert rules(examine(facts)) - {"tls", "authorizer", "combined-mode"} == expected


def pod(document: dict[str, Any]) -> Any:
    return document["spec"]["template"]["spec"]


def line(document: dict[str, Any], old: str, new: str, file: str = "server.properties") -> None:
    assert old in document["data"][file]
    document["data"][file] = document["data"][file].replace(old, new)


CHANGES: dict[str, tuple[str, Any, set[str]]] = {
    "no rack": ("ConfigMap/kafka-config", lambda one: line(one, "broker.rack=", "#", "start.sh"), {"rack"}),
    "factor": (
        "ConfigMap/kafka-config",
        lambda one: line(one, "default.replication.factor=3", "default.replication.factor=1"),
        {"replication-factor", "min-isr-below-replication-factor"},
    ),
    "a second role": (
        "ConfigMap/kafka-config",
        lambda one: line(one, "process.roles=broker", "process.roles=broker,controller"),
        {"combined-mode", "zone-spread", "host-spread", "disruption-budget"},
    ),
    "records elsewhere": (
        "ConfigMap/kafka-config",
        lambda one: line(one, "log.dirs=/var/lib/kafka/data", "log.dirs=/tmp"),
        {"persistent-storage"},
    ),
    "four voters": ("StatefulSet/kafka-controller", lambda one: one["spec"].update(replicas=4), {"odd-voters"}),
    "not ready": (
        "StatefulSet/kafka-controller",
        lambda one: pod(one)["containers"][0].pop("readinessProbe"),
        {"readiness-probe"},
    ),
    "ordered": ("StatefulSet/kafka-controller", lambda one: one["spec"].pop("podManagementPolicy"), {"parallel-start"}),
    "controllers' budget": (
        "PodDisruptionBudget/kafka-controller",
        lambda one: one["spec"].update(maxUnavailable=2),
        {"disruption-budget"},
    ),
    "a budget of all": (
        "PodDisruptionBudget/kafka",
        lambda one: one["spec"]["selector"]["matchLabels"].pop("app.kubernetes.io/component"),
        {"disruption-budget-overlap", "disruption-budget"},
    ),
    "a spread of all": (
        "StatefulSet/kafka-controller",
        lambda one: pod(one)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].pop(
            "app.kubernetes.io/component"
        ),
        {"zone-spread"},
    ),
    "evicts the unready": (
        "PodDisruptionBudget/kafka",
        lambda one: one["spec"].update(unhealthyPodEvictionPolicy="AlwaysAllow"),
        {"unready-evictions"},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_makes_it_unsafe_is_seen(name: str) -> None:
    settings = DEDICATED | {"brokers": 6}
    documents = own_objects(ZONES, **settings)
    target, change, expected = CHANGES[name]
    (document,) = [one for one in documents if f"{one['kind']}/{one['metadata']['name']}" == target]
    change(document)
    assert rules(examine(facts_of(documents, **settings))) - {"tls", "authorizer"} == expected
