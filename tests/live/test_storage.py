"""Storage: what k3d's class can't do is refused, and a broker with two disks survives the loss of one."""

import json
import signal
from typing import Any

import pytest

from components.kubectl import status_of_node
from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.stack import PulumiFailed, Stack

BROKERS = ("kafka-0", "kafka-1", "kafka-2")
DISKS = ("/var/lib/kafka/data", "/var/lib/kafka/data-1")

pytestmark = pytest.mark.usefixtures("healthy")


def set_storage(stack: Stack, **settings: Any) -> None:
    stack.change(lambda config: config["kafka"]["storage"].update(settings))


def replicas(kafka: KafkaClient) -> dict[int, dict[str, int]]:
    """How many replicas each broker has on each of its disks."""
    out = kafka.tool("kafka-log-dirs.sh", "--describe")
    brokers = json.loads(next(line for line in out.splitlines() if line.startswith("{")))["brokers"]
    return {
        broker["broker"]: {
            folder["logDir"].removesuffix("/kraft"): len(folder["partitions"]) for folder in broker["logDirs"]
        }
        for broker in brokers
    }


def test_a_class_that_grows_no_volumes_is_named(stack: Stack, cluster: Cluster) -> None:
    size = stack.config["kafka"]["storage"]["size"]
    set_storage(stack, size="2Gi")
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        with pytest.raises(PulumiFailed, match=r"storage class local-path grows no volumes. Set it to 1Gi"):
            stack.pulumi(*command, "--stack", stack.name)
    claims = cluster.core.list_namespaced_persistent_volume_claim(cluster.namespace).items
    assert {claim.spec.resources.requests["storage"] for claim in claims} == {size}
    set_storage(stack, size=size)


def test_each_node_tells_how_full_its_disks_are(stack: Stack, cluster: Cluster) -> None:
    for broker in BROKERS:
        status = status_of_node(stack.outputs()["kubeconfig"], None, cluster.namespace, broker)
        assert set(status["disks"]) == set(DISKS[:1])
        assert 0 < status["disks"][DISKS[0]] < 1


def test_brokers_get_a_second_disk_around_the_running_set(
    stack: Stack, cluster: Cluster, kafka: KafkaClient, topic: str
) -> None:
    """As docs/storage.md says."""
    acknowledged = kafka.produce(topic, 100)
    disks = {broker: cluster.disk_id(broker) for broker in BROKERS}
    set_storage(stack, volumes=2)
    with pytest.raises(PulumiFailed, match=r"storage.volumes: got 2, but the StatefulSet kafka was made with 1"):
        stack.preview()

    cluster.kubectl("-n", cluster.namespace, "delete", "statefulset", "kafka", "--cascade=orphan")
    up = stack.start("up", "--stack", stack.name, "--yes", "--skip-preview", "--refresh")
    try:
        find = ("-n", cluster.namespace, "get", "statefulset", "kafka", "--ignore-not-found", "-o", "name")
        eventually("the set is there again", lambda: bool(cluster.kubectl(*find)))
        for broker in BROKERS:
            start_anew(cluster, broker)
        out, _ = up.communicate(timeout=600)
    finally:
        up.send_signal(signal.SIGINT)
    assert up.returncode == 0, out

    assert {broker: cluster.disk_id(broker) for broker in BROKERS} == disks, "the first disks are as they were"
    assert acknowledged <= set(kafka.consume(topic))
    stack.up("--expect-no-changes")


def start_anew(cluster: Cluster, broker: str) -> None:
    """Deletes the pod and waits for its successor to be in sync."""
    before = cluster.brokers()[broker].metadata.uid
    cluster.core.delete_namespaced_pod(broker, cluster.namespace)
    eventually(f"a new {broker} is in sync", lambda: cluster.replaced(broker, before), seconds=300)


def test_both_disks_are_used(stack: Stack, kafka: KafkaClient, topic: str) -> None:
    stack.change(lambda config: config["topics"][0].update(partitions=24))
    stack.up()
    kafka.produce(topic, 1000)
    found = replicas(kafka)
    assert sorted(found) == [0, 1, 2]
    for disks in found.values():
        assert set(disks) == set(DISKS)
        assert all(count > 0 for count in disks.values()), found


def test_a_lost_second_disk_is_formatted_again_and_filled(
    stack: Stack, cluster: Cluster, kafka: KafkaClient, topic: str
) -> None:
    acknowledged = kafka.produce(topic, 1000)
    first, second = cluster.disk_id("kafka-1"), cluster.disk_id("kafka-1", "data-1")
    had = sum(replicas(kafka)[1].values())

    cluster.core.delete_namespaced_persistent_volume_claim("data-1-kafka-1", cluster.namespace)
    start_anew(cluster, "kafka-1")

    assert cluster.disk_id("kafka-1") == first
    assert cluster.disk_id("kafka-1", "data-1") != second
    eventually("all replicas are in sync", cluster.fully_replicated)
    assert sum(replicas(kafka)[1].values()) == had
    assert acknowledged <= set(kafka.consume(topic))
    stack.up("--expect-no-changes")
