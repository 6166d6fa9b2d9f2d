"""The manifests as plain data: what the article asks of them, and what it leaves out."""

from typing import Any

import pytest

from components import manifests
from components.kafka_plan import KafkaPlan, plan_kafka
from components.kafka_settings import KafkaSettings


def plan(zones: tuple[str, ...] = ("a", "b", "c"), **settings: Any) -> KafkaPlan:
    return plan_kafka(KafkaSettings.model_validate(settings), zones, "test")


def pod(kafka: KafkaPlan) -> Any:
    return manifests.stateful_set(kafka)["spec"]["template"]["spec"]


def test_everything_selects_the_brokers_pods() -> None:
    kafka = plan()
    stateful_set = manifests.stateful_set(kafka)["spec"]
    labels = stateful_set["template"]["metadata"]["labels"]
    assert stateful_set["selector"]["matchLabels"] == labels
    assert manifests.service(kafka)["spec"]["selector"] == labels
    assert manifests.disruption_budget(kafka)["spec"]["selector"]["matchLabels"] == labels
    for constraint in stateful_set["template"]["spec"]["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"] == labels


def test_the_service_names_brokers_before_they_are_ready() -> None:
    service = manifests.service(plan())
    assert service["metadata"]["name"] == "kafka-svc" == manifests.stateful_set(plan())["spec"]["serviceName"]
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)


@pytest.mark.parametrize(
    ("settings", "budget"),
    [
        ({}, 1),
        ({"brokers": 5}, 1),
        ({"brokers": 5, "controllers": 5, "replicationFactor": 4}, 2),
        ({"brokers": 5, "replicationFactor": 4}, 1),
        ({"brokers": 5, "controllers": 5, "replicationFactor": 4, "maxUnavailable": 1}, 1),
    ],
)
def test_the_budget_follows_replication_and_quorum(settings: dict[str, Any], budget: int) -> None:
    assert manifests.disruption_budget(plan(**settings))["spec"]["maxUnavailable"] == budget


@pytest.mark.parametrize(
    ("zones", "brokers", "domains"),
    [(("a", "b", "c"), 5, 3), (("a", "b", "c", "d"), 3, 3), (("a", "b", "c", "d"), 6, 4)],
)
def test_brokers_are_spread_over_zones_and_hosts(zones: tuple[str, ...], brokers: int, domains: int) -> None:
    over_zones, over_hosts = pod(plan(zones, brokers=brokers))["topologySpreadConstraints"]
    assert over_zones["topologyKey"] == "topology.kubernetes.io/zone"
    assert over_zones["minDomains"] == domains
    assert over_hosts["topologyKey"] == "kubernetes.io/hostname"
    for constraint in (over_zones, over_hosts):
        assert (constraint["maxSkew"], constraint["whenUnsatisfiable"]) == (1, "DoNotSchedule")


def test_a_changed_setting_changes_the_pod_template_only_by_its_checksum() -> None:
    before = manifests.stateful_set(plan())
    after = manifests.stateful_set(plan(properties={"num.io.threads": "4"}))
    annotations = after["spec"]["template"]["metadata"].pop("annotations")
    assert annotations != before["spec"]["template"]["metadata"].pop("annotations")
    assert before == after


def test_the_claims_outlive_the_stateful_set() -> None:
    spec = manifests.stateful_set(plan(storage={"size": "5Gi", "storageClass": "fast"}))["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    [claim] = spec["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    assert "storageClassName" not in manifests.stateful_set(plan())["spec"]["volumeClaimTemplates"][0]["spec"]


def test_times_and_sizes_are_in_the_units_of_kubernetes_and_java() -> None:
    kafka = plan(terminationGracePeriod="2m", startupTimeout="1h", resources={"memory": "4Gi", "heap": "2Gi"})
    assert pod(kafka)["terminationGracePeriodSeconds"] == 120
    [container] = pod(kafka)["containers"]
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] == 3600
    assert {"name": "HEAP", "value": "2048m"} in container["env"]
    assert container["resources"]["limits"] == {"memory": "4Gi"}


def test_the_pod_keeps_to_the_restricted_standard() -> None:
    assert pod(plan())["securityContext"]["runAsNonRoot"] is True
    [container] = pod(plan())["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
