"""Every refused setting has its path, what was given, what is allowed and the way out."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from components.kinds import KINDS
from components.kinds.k3d import K3dSettings
from components.refusal import UnsafeSettings
from components.settings import read_settings

SIM: dict[str, Any] = {"cluster": {"kind": "kwok"}}


def errors_of(config: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(UnsafeSettings) as refusal:
        read_settings(config)
    return refusal.value.errors


def kafka(**settings: Any) -> dict[str, Any]:
    return SIM | {"kafka": settings}


def topics(*settings: Any) -> dict[str, Any]:
    return SIM | {"topics": list(settings)}


def test_defaults_are_safe() -> None:
    settings = read_settings(SIM)
    assert (settings.kafka.brokers, settings.kafka.replication_factor, settings.kafka.min_insync_replicas) == (3, 3, 2)
    assert settings.kafka.disruption_budget == 1
    assert settings.cluster.zones == ("zone-a", "zone-b", "zone-c")


@pytest.mark.parametrize(
    ("given", "nodes", "replication", "budgets"),
    [
        ({}, (3, 3), (3, 2), (1, 1)),
        ({"brokers": 5}, (5, 5), (3, 2), (1, 1)),
        ({"dedicatedControllers": {}}, (3, 3), (3, 2), (1, 1)),
        ({"dedicatedControllers": {}, "brokers": 20}, (20, 3), (3, 2), (1, 1)),
        ({"faultTolerance": 2}, (5, 5), (4, 2), (1, 1)),
        ({"faultTolerance": 2, "dedicatedControllers": {}}, (4, 5), (4, 2), (1, 1)),
        ({"faultTolerance": 2, "dedicatedControllers": {}, "maxUnavailable": 2}, (4, 5), (4, 2), (2, 1)),
        ({"brokers": 5, "replicationFactor": 5}, (5, 5), (5, 2), (1, 1)),
        ({"dedicatedControllers": {}, "brokers": 5, "replicationFactor": 5, "controllers": 7}, (5, 7), (5, 2), (2, 2)),
    ],
)
def test_what_is_left_open_follows_from_fault_tolerance(
    given: dict[str, Any], nodes: tuple[int, int], replication: tuple[int, int], budgets: tuple[int, int]
) -> None:
    found = read_settings(kafka(**given)).kafka
    assert (found.brokers, found.controllers) == nodes
    assert (found.replication_factor, found.min_insync_replicas) == replication
    assert (found.disruption_budget, found.controllers_budget) == budgets, "an unplanned loss has room beside it"


def test_scalars_of_yaml_are_text_where_kafka_and_kubernetes_want_text() -> None:
    given = kafka(properties={"a.b": True, "c": 5}, nodePool={"nodeSelector": {"kafka": True}})
    found = read_settings(given).kafka
    assert (found.properties, found.node_pool.node_selector) == ({"a.b": "true", "c": "5"}, {"kafka": "true"})


def test_the_images_are_pinned() -> None:
    found = read_settings(SIM).kafka
    for image in (found.image, found.checker_image):
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-[a-z0-9.]+)?", image)


def test_a_kind_has_its_own_settings() -> None:
    cluster = read_settings({"cluster": {"kind": "k3d", "apiPort": 6550, "extraArgs": ["--servers-memory=2g"]}}).cluster
    assert isinstance(cluster, K3dSettings)
    assert (cluster.name, cluster.api_port, cluster.extra_args) == ("kube-cluster", 6550, ("--servers-memory=2g",))


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({}, ["kafka-ha:cluster.kind: got nothing", "kwok, k3d, existing", "pulumi config set --path"]),
        ({"cluster": {"kind": "k3s"}}, ["kafka-ha:cluster.kind: got 'k3s'", "kwok, k3d, existing"]),
        ({"cluster": "kwok"}, ["kafka-ha:cluster.kind: got nothing"]),
        (SIM | {"kafak": {}}, ["kafka-ha:kafak: unknown key", "cluster, drills, kafka, topics", "Did you mean kafka?"]),
        (
            {"cluster": {"kind": "kwok", "apiPort": 1}},
            [
                "kafka-ha:cluster.apiPort: unknown key",
                "nodesPerZone",
                "pulumi config rm --path 'kafka-ha:cluster.apiPort'",
            ],
        ),
        (kafka(brokrs=3), ["kafka-ha:kafka.brokrs: unknown key", "Did you mean brokers?"]),
        (kafka(storage={"siz": "1Gi"}), ["kafka-ha:kafka.storage.siz: unknown key", "size, storageClass"]),
        (
            kafka(brokers="many"),
            ["kafka-ha:kafka.brokers: got 'many'", "valid integer", "set --path 'kafka-ha:kafka.brokers' VALUE"],
        ),
        (kafka(brokers=0), ["kafka-ha:kafka.brokers: got 0", "greater than or equal to 1"]),
        (kafka(storage={"size": "10GB"}), ["kafka-ha:kafka.storage.size: got '10GB'", "as in 1Gi"]),
        (kafka(startupTimeout=60), ["kafka-ha:kafka.startupTimeout: got 60", "such as 30s"]),
        (kafka(image="apache/kafka"), ["kafka-ha:kafka.image: got 'apache/kafka'", "pinned by a tag or a digest"]),
        (kafka(image="apache/kafka:latest"), ["kafka-ha:kafka.image: got 'apache/kafka:latest'", "pinned by a tag"]),
        (kafka(checkerImage="python"), ["kafka-ha:kafka.checkerImage: got 'python'", "pinned by a tag or a digest"]),
        (kafka(name="k" * 41), ["kafka-ha:kafka.name: got 'kkk", "at most 40 characters"]),
        (kafka(terminationGracePeriod="10s"), ["kafka-ha:kafka.terminationGracePeriod: got '10s'", "at least 1m"]),
        (kafka(resources={"heap": "2Gi"}), ["kafka-ha:kafka.resources.heap: got '2Gi'", "below memory, 1Gi"]),
        (kafka(resources={"memory": "256Mi"}), ["kafka-ha:kafka.resources.heap: got '512Mi'", "below memory, 256Mi"]),
        (kafka(resources={"heap": "192Mi"}), ["kafka-ha:kafka.resources: ", "heap is 192Mi", "at least 256Mi"]),
        (kafka(resources={"heap": "1.5Mi"}), ["kafka-ha:kafka.resources.heap: got '1.5Mi'", "a whole number of Mi"]),
        (kafka(storage={"volumes": 17}), ["kafka-ha:kafka.storage.volumes: got 17", "less than or equal to 16"]),
        (kafka(faultTolerance=3), ["kafka-ha:kafka.faultTolerance: got 3", "1 or 2"]),
        (
            kafka(controllers=5),
            ["kafka-ha:kafka.controllers: got 5", "each of the 3 brokers votes", "set dedicatedControllers: {}"],
        ),
        (kafka(brokers=11), ["kafka-ha:kafka.brokers: got 11", "9 voters are the most", "dedicatedControllers: {}"]),
        (
            kafka(dedicatedControllers={"storage": {"volumes": 2}}),
            ["kafka-ha:kafka.dedicatedControllers.storage.volumes: got 2", "input should be 1"],
        ),
        (
            kafka(dedicatedControllers={"resources": {"heap": "1Gi"}}),
            ["kafka-ha:kafka.dedicatedControllers.resources.heap: got '1Gi'", "below memory, 1Gi"],
        ),
        (
            kafka(dedicatedControllers={"storge": {}}),
            [
                "kafka-ha:kafka.dedicatedControllers.storge: unknown key; allowed are resources, storage",
                "mean storage?",
            ],
        ),
        (kafka(dedicatedControllers=True), ["kafka-ha:kafka.dedicatedControllers: got True"]),
        (
            kafka(nodePool={"tolerations": [{"key": "kafka"}, {"keey": "kafka"}]}),
            ["kafka-ha:kafka.nodePool.tolerations[1].keey: unknown key", "tolerationSeconds", "Did you mean key?"],
        ),
        (
            kafka(nodePool={"tolerations": [{"operator": "In"}]}),
            ["kafka-ha:kafka.nodePool.tolerations[0].operator: got 'In'", "'Equal' or 'Exists'"],
        ),
        (kafka(nodePool={"nodeSelector": {"a": []}}), ["kafka-ha:kafka.nodePool.nodeSelector.a: got []"]),
        (kafka(properties={"node.id": 1}), ["kafka-ha:kafka.properties", "it follows from the pod's ordinal"]),
        (kafka(properties={"min.insync.replicas": 1}), ["set kafka.minInsyncReplicas"]),
        (kafka(properties={"metadata.log.dir": "/tmp"}), ["the metadata log is on the first claim"]),
        (kafka(properties={"broker.session.timeout.ms": 45000}), ["is 45000", "at most 30000", "leave it out"]),
        (kafka(properties={"broker.session.timeout.ms": "9s"}), ["is 9s", "at most 30000"]),
        (kafka(properties={" node.id": 1}), ["' node.id' is no property", "letters, digits"]),
        (kafka(properties={"a": "1\nnode.id=2"}), ["'a' is no property", "one line of ASCII"]),
        (SIM | {"topics": "orders"}, ["kafka-ha:topics: got 'orders'", "a list of topics"]),
        (SIM | {"drills": {"context": "x"}}, ["kafka-ha:drills.context: unknown key", "Did you mean contexts?"]),
        (topics({}), ["kafka-ha:topics[0].name: got nothing, but it is needed"]),
        (topics({"name": "a b"}), ["kafka-ha:topics[0].name: got 'a b'"]),
        (topics({"name": "a"}, {"name": "a"}), ["kafka-ha:topics[1].name: got 'a', but kafka-ha:topics[0] has"]),
        (
            topics({"name": "a", "config": {"min.insync.replicas": 1}}),
            ["kafka-ha:topics[0].config", "minInsyncReplicas"],
        ),
        ({"cluster": {"kind": "kwok", "zones": []}}, ["kafka-ha:cluster.zones: got []"]),
        (
            {"cluster": {"kind": "kwok", "zones": ["a", "a", "b"]}},
            ["kafka-ha:cluster.zones", "each zone is named once"],
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(config: dict[str, Any], parts: list[str]) -> None:
    errors = errors_of(config)
    assert len(errors) == 1, errors
    for part in parts:
        assert part in errors[0]


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        (kafka(replicationFactor=5), {"replication-fits-brokers"}),
        (kafka(minInsyncReplicas=3), {"min-isr-below-replication-factor"}),
        (kafka(minInsyncReplicas=1), {"min-isr"}),
        (kafka(brokers=4), {"odd-voters"}),
        (kafka(dedicatedControllers={}, controllers=4), {"odd-voters"}),
        (kafka(dedicatedControllers={}, controllers=1), {"voters", "zone-majority"}),
        (kafka(faultTolerance=2, brokers=3), {"replication-fits-brokers"}),
        (kafka(faultTolerance=2, maxUnavailable=3), {"disruption-budget"}),
        (kafka(maxUnavailable=2), {"disruption-budget"}),
        (kafka(maxUnavailable=0), {"disruption-budget"}),
        ({"cluster": {"kind": "kwok", "zones": ["a", "b"]}}, {"zones", "zone-majority"}),
        (topics({"name": "a", "replicationFactor": 2}), {"replication-factor", "min-isr-below-replication-factor"}),
    ],
)
def test_an_unsafe_combination_is_refused(config: dict[str, Any], rules: set[str]) -> None:
    errors = errors_of(config)
    assert {rule for rule in rules for error in errors if f"({rule}: " in error} == rules
    assert len(errors) == len(rules)
    for error in errors:
        assert error.startswith("kafka-ha:")


def test_all_errors_are_told_at_once() -> None:
    errors = errors_of(
        {
            "cluster": {"kind": "k3s"},
            "kafka": {"replicationFactor": 5},
            "topics": [{"name": "good"}, {"nam": "bad"}],
            "more": 1,
        }
    )
    told = ("kafka-ha:cluster.kind", "kafka-ha:kafka.replicationFactor", "kafka-ha:topics[0].replicationFactor")
    for path in (*told, "kafka-ha:topics[1].nam", "kafka-ha:topics[1].name", "kafka-ha:more"):
        assert any(error.startswith(f"{path}: ") for error in errors), path


def test_long_values_are_cut() -> None:
    assert len(errors_of(kafka(image="x" * 5000))[0]) < 500


KEYS = st.sampled_from(
    [
        *("kind", "zones", "brokers", "storage", "topics", "name", "controllers", "properties", "heap", "x", "volumes"),
        *("faultTolerance", "dedicatedControllers", "nodePool", "tolerations", "nodeSelector", "resources", "memory"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | KEYS, inner, max_size=3),
    max_leaves=8,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # CI's machines are slow
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "cluster": st.dictionaries(KEYS, JSON | st.sampled_from(list(KINDS)), max_size=4) | JSON,
            "kafka": st.dictionaries(KEYS, JSON, max_size=4) | JSON,
            "topics": st.lists(st.dictionaries(KEYS, JSON, max_size=3) | JSON, max_size=3) | JSON,
        },
    )
)
def test_any_configuration_is_read_or_refused(config: dict[str, Any]) -> None:
    """No traceback, whatever stands in the file."""
    try:
        settings = read_settings(config)
    except UnsafeSettings as refusal:
        errors = refusal.errors
    else:
        assert settings.kafka
        return
    assert errors
    assert all(error.startswith("kafka-ha:") for error in errors)
