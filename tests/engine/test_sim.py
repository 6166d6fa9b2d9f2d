"""The program through the real engine on a simulated cluster: what `make up` does, and what comes after.

The tests share one stack and stand in the order of its life; each deploys what it needs itself.
"""

from pathlib import Path
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from tests.engine.conftest import Api, eventually, set_kafka, set_topics
from tests.stack import PulumiFailed, Stack

COMMANDS = {"kafka-claims", "kafka-new-claims", "kafka-evacuation", "kafka-members", "kafka-rebalance"}


def variables(pod: Any) -> dict[str, str]:
    """What the checker's container is told."""
    (checker,) = [one for one in pod.spec.init_containers if one.name == "checker"]
    return {one.name: one.value for one in checker.env}


def test_preview_with_no_cluster_yet(sim: Stack) -> None:
    components = {"kafka-ha-sim", "cluster", "kafka", "orders"}
    of_cluster = {"cluster-kwok", "cluster-kubernetes"}
    rights = {"kafka-account", "kafka-role", "kafka-role-binding", "kafka-zones", "kafka-zones-binding"}
    files = {"kafka-config", "kafka-checker", "kafka-marks", "kafka-client"}
    of_kafka = {"kafka-namespace", "kafka-service", "kafka-disruption-budget", "kafka-brokers"}
    of_kafka |= {f"kafka-{ordinal}" for ordinal in range(3)}
    held = {"kafka-image", "kafka-settings", "orders-topic"}
    resources = components | of_cluster | rights | files | of_kafka | held | COMMANDS
    assert sim.preview() == dict.fromkeys(resources, "create")
    assert not (sim.folder / "kwok/clusters").exists(), "a preview makes nothing"


def test_up_spreads_the_brokers_over_the_zones(sim: Stack) -> None:
    sim.up()
    outputs = sim.outputs()
    assert {broker: place["zone"] for broker, place in outputs["brokers"].items()} == {
        "kafka-0": outputs["brokers"]["kafka-0"]["zone"],
        "kafka-1": outputs["brokers"]["kafka-1"]["zone"],
        "kafka-2": outputs["brokers"]["kafka-2"]["zone"],
    }
    assert {place["zone"] for place in outputs["brokers"].values()} == {"zone-a", "zone-b", "zone-c"}
    assert outputs["zones"] == ["zone-a", "zone-b", "zone-c"]
    assert outputs["disruptionBudget"] == {"name": "kafka", "maxUnavailable": 1}
    assert outputs["topics"] == ["orders"]
    assert outputs["bootstrap"].count(":9092") == 3
    assert outputs["clientCommand"].startswith("kubectl run kafka-client")


def test_a_second_up_changes_nothing(sim: Stack) -> None:
    sim.up("--expect-no-changes")


def test_the_article_in_seconds(sim: Stack, api: Api) -> None:
    """A drained broker waits for its volume, a second drain is refused, and after uncordon all is as before."""
    node = api.pods()["kafka-0"].spec.node_name
    # Both nodes of the zone: the broker's volume is on one of them anyway, and no other zone may take it.
    api.cordon(node)
    api.evict("kafka-0")

    api.finds_no_node("kafka-0")
    with pytest.raises(ApiException) as refusal:
        api.evict("kafka-1")
    assert refusal.value.status == 429
    assert "disruption budget" in str(refusal.value.body)
    api.cordon(node, unschedulable=False)

    @eventually
    def back() -> None:
        pod = api.pods()["kafka-0"]
        assert (pod.status.phase, pod.spec.node_name) == ("Running", node)

    back()


def test_a_changed_broker_setting_is_an_update(sim: Stack, api: Api) -> None:
    before = {name: pod.metadata.uid for name, pod in api.pods().items()}
    set_kafka(sim, properties={"log.retention.hours": 24})
    steps = sim.preview()
    assert steps == {"kafka": "update", "kafka-config": "update", "kafka-brokers": "update"}
    sim.up()
    files = api.core.read_namespaced_config_map("kafka-config", "kafka").data
    assert "log.retention.hours=24\n" in files["server.properties"]
    after = {name: pod.metadata.uid for name, pod in api.pods().items()}
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values()), "every broker was restarted"


def test_scale_from_three_to_five(sim: Stack, api: Api) -> None:
    set_kafka(sim, brokers=5)
    changed = {"kafka", "kafka-config", "kafka-client", "kafka-brokers", *COMMANDS}
    reached = {"kafka-image", "kafka-settings", "orders-topic"}  # by more brokers, which the state must know
    new = dict.fromkeys(("kafka-3", "kafka-4"), "create")
    assert sim.preview() == dict.fromkeys(changed | reached, "update") | new
    sim.up()
    brokers = sim.outputs()["brokers"]
    assert sorted(brokers) == [f"kafka-{ordinal}" for ordinal in range(5)]
    nodes = [place["node"] for place in brokers.values()]
    assert len(set(nodes)) == 5
    assert len(api.core.list_namespaced_persistent_volume_claim("kafka").items) == 5
    for pod in api.pods().values():
        assert len(variables(pod)["VOTERS"].split(",")) == 5, "each of them votes"


def test_an_unsafe_setting_changes_nothing(sim: Stack, api: Api) -> None:
    before = sim.config.get("kafka", {})
    set_kafka(sim, minInsyncReplicas=1, replicationFactor=9)
    message = sim.refusal("up", "--yes", "--skip-preview")
    assert "kafka-ha:kafka.minInsyncReplicas: got 1, but at least 2 is needed" in message
    assert "kafka-ha:kafka.replicationFactor: got 9" in message
    assert api.apps.read_namespaced_stateful_set("kafka", "kafka").spec.replicas == 5
    set_kafka(sim, **before)


def test_partitions_are_raised_and_never_lowered(sim: Stack) -> None:
    set_topics(sim, {"name": "orders", "partitions": 9})
    assert sim.preview() == {"orders": "update", "orders-topic": "update"}
    sim.up()
    set_topics(sim, {"name": "orders", "partitions": 6})
    with pytest.raises(PulumiFailed, match=r"partitions: got 6, but the topic has 9"):
        sim.up()
    set_topics(sim, {"name": "orders", "partitions": 9})
    sim.up()


def test_the_replication_factor_is_changed(sim: Stack) -> None:
    for factor in (4, 3):
        set_topics(sim, {"name": "orders", "partitions": 9, "replicationFactor": factor})
        assert sim.preview() == {"orders": "update", "orders-topic": "update"}
        sim.up()


def test_a_topic_is_deleted_only_when_its_settings_allowed_it(sim: Stack) -> None:
    set_topics(sim)
    with pytest.raises(PulumiFailed, match="set allowDeletion: true on it"):
        sim.up()
    set_topics(sim, {"name": "orders", "partitions": 9, "allowDeletion": True})
    sim.up()
    set_topics(sim)
    sim.up()
    assert sim.outputs()["topics"] == []


def test_changed_zones_say_what_they_replace_and_replace_it(sim: Stack) -> None:
    zones = ["zone-a", "zone-b", "zone-d"]
    sim.change(lambda config: config["cluster"].update(zones=zones))
    out = sim.pulumi("preview", "--stack", sim.name)
    assert "the kwok cluster engine-sim is replaced, and all that is on it with it, Kafka's records included" in out
    assert "replace" in sim.preview()["cluster-kwok"]
    sim.up()
    brokers = sim.outputs()["brokers"]
    assert len(brokers) == 5
    assert {place["zone"] for place in brokers.values()} == set(zones)
    sim.up("--expect-no-changes")


def test_destroy_leaves_nothing(sim: Stack, folder: Path) -> None:
    sim.destroy()
    assert not sim.exists
    assert [path for path in (folder / "kwok").rglob("*") if path.is_file()] == []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        assert f"{folder}/kwok" not in command
