"""Dedicated controllers through the real engine on a simulated cluster: two groups that are deployed, drained and
changed apart. The tests share one stack and stand in the order of its life.
"""

from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.engine.conftest import Api, set_kafka
from tests.stack import PulumiFailed, Stack

TOLERANT: dict[str, Any] = {"dedicatedControllers": {}, "faultTolerance": 2, "storage": {"volumes": 2}, "metrics": {}}
MONITORING = {"podmonitors": "PodMonitor", "prometheusrules": "PrometheusRule"}
MARKS = {"node-1000": "token", "voters": "1000@kafka-controller-0"}


def test_preview_names_both_groups(sim: Stack) -> None:
    set_kafka(sim, **TOLERANT)
    steps = sim.preview()
    groups = {"kafka-brokers", "kafka-service", "kafka-config", "kafka-disruption-budget", "kafka-controllers"}
    groups |= {f"kafka-controller-{part}" for part in ("service", "config", "disruption-budget")}
    assert {name for name in steps if name in groups} == groups
    assert set(steps.values()) == {"create"}


def test_up_spreads_each_group_over_the_zones(sim: Stack) -> None:
    sim.up()
    api = Api(sim.outputs()["kubeconfig"])
    zones: dict[str, list[str]] = {"broker": [], "controller": []}
    for pod in api.pods().values():
        assert pod.status.phase == "Running"
        zones[pod.metadata.labels["app.kubernetes.io/component"]].append(pod.spec.node_name.rpartition("-")[0])
    assert sorted(zones["broker"].count(zone) for zone in ("zone-a", "zone-b", "zone-c")) == [1, 1, 2]
    assert sorted(zones["controller"].count(zone) for zone in ("zone-a", "zone-b", "zone-c")) == [1, 2, 2]
    assert sorted(sim.outputs()["brokers"]) == [f"kafka-{ordinal}" for ordinal in range(4)]
    claims = [claim.metadata.name for claim in api.core.list_namespaced_persistent_volume_claim("kafka").items]
    assert len(claims) == 4 * 2 + 5
    assert {"data-kafka-0", "data-1-kafka-0", "data-kafka-controller-4"} <= set(claims)


def test_the_controllers_are_there_before_the_brokers(api: Api) -> None:
    made = {pod.metadata.name: pod.metadata.creation_timestamp for pod in api.pods().values()}
    controllers = [when for name, when in made.items() if name.startswith("kafka-controller")]
    brokers = [when for name, when in made.items() if not name.startswith("kafka-controller")]
    assert max(controllers) <= min(brokers)


def test_what_the_nodes_write_is_no_drift_and_stays(sim: Stack, api: Api) -> None:
    api.core.patch_namespaced_config_map("kafka-marks", "kafka", {"data": MARKS})
    sim.up("--expect-no-changes")
    sim.up("--refresh", "--expect-no-changes")
    assert api.core.read_namespaced_config_map("kafka-marks", "kafka").data == MARKS


def test_the_quorum_stays_with_the_controllers(sim: Stack) -> None:
    set_kafka(sim)
    with pytest.raises(PulumiFailed, match="dedicatedControllers: got nothing, but the quorum"):
        sim.preview()
    set_kafka(sim, **TOLERANT)
    sim.up("--expect-no-changes")


def test_one_node_of_each_group_may_be_drained_at_once(api: Api) -> None:
    for pod in ("kafka-0", "kafka-controller-0"):
        budget = "kafka" if pod == "kafka-0" else "kafka-controller"
        status = api.policy.read_namespaced_pod_disruption_budget(budget, "kafka").status
        assert status.disruptions_allowed == 1
        node = api.pods()[pod].spec.node_name
        api.cordon(node)
        api.evict(pod)
        with pytest.raises(ApiException) as refusal:
            api.evict(f"{budget}-1")
        assert refusal.value.status == 429
    for node in api.core.list_node().items:
        api.cordon(node.metadata.name, unschedulable=False)


def test_a_changed_setting_rolls_both_groups_and_replaces_nothing(sim: Stack, api: Api) -> None:
    set_kafka(sim, **TOLERANT, properties={"queued.max.requests": 400})
    changed = ("kafka", "kafka-config", "kafka-controller-config", "kafka-brokers", "kafka-controllers")
    assert sim.preview() == dict.fromkeys(changed, "update")
    sim.up()
    assert api.core.read_namespaced_config_map("kafka-marks", "kafka").data == MARKS
    checksums = {
        pod.metadata.labels["app.kubernetes.io/component"]: pod.metadata.annotations["kafka-ha/config-checksum"]
        for pod in api.pods().values()
    }
    assert checksums["broker"] != checksums["controller"]


def define(api: Api, plural: str, kind: str) -> None:
    """A custom resource of the operator, without its schema."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    group = "monitoring.coreos.com"
    definitions: Any = client.ApiextensionsV1Api(api.core.api_client)
    definitions.create_custom_resource_definition(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"plural": plural, "kind": kind},
                "versions": [version],
            },
        }
    )


def test_what_the_prometheus_operator_reads_comes_when_it_is_asked_for(sim: Stack, api: Api) -> None:
    assert "KafkaBrokerDown" in api.core.read_namespaced_config_map("kafka-alerts", "kafka").data["rules.yaml"]
    dashboards = api.core.list_namespaced_config_map("kafka", label_selector="grafana_dashboard=1").items
    assert [one.metadata.name for one in dashboards] == ["kafka-dashboard"]
    for plural, kind in MONITORING.items():
        define(api, plural, kind)
    set_kafka(sim, **TOLERANT | {"metrics": {"prometheusOperator": True}}, properties={"queued.max.requests": 400})
    new = {f"kafka-{kind.lower()}": "create" for kind in MONITORING.values()}
    assert sim.preview() == {"kafka": "update", **new}
    sim.up()
    place = ("monitoring.coreos.com", "v1", "kafka")
    custom: Any = client.CustomObjectsApi(api.core.api_client)
    found = {plural: custom.get_namespaced_custom_object(*place, plural, "kafka") for plural in MONITORING}
    assert [one["port"] for one in found["podmonitors"]["spec"]["podMetricsEndpoints"]] == ["metrics", "health"]
    assert found["prometheusrules"]["spec"]["groups"][0]["rules"][0]["alert"] == "KafkaPartitionsOffline"
    sim.up("--refresh", "--expect-no-changes")


def test_destroy_keeps_nothing(sim: Stack) -> None:
    sim.destroy()
    assert not sim.exists
