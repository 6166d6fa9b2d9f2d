"""Brokers know the zone that they are in, and do not start in a wrong one."""

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import ZONE, Cluster, eventually

pytestmark = pytest.mark.usefixtures("healthy")


def test_each_brokers_rack_is_its_nodes_zone(cluster: Cluster, kafka: KafkaClient) -> None:
    zones = cluster.zones()
    assert {f"kafka-{number}": kafka.broker_setting(number, "broker.rack") for number in range(3)} == zones


def test_a_broker_on_a_node_of_another_zone_is_refused(cluster: Cluster) -> None:
    node, zone = cluster.brokers()["kafka-0"].spec.node_name, cluster.zones()["kafka-0"]
    cluster.kubectl("label", "node", node, f"{ZONE}=zone-x", "--overwrite")
    try:
        cluster.core.delete_namespaced_pod("kafka-0", cluster.namespace)

        def refused() -> bool:
            pods = [pod for name, pod in cluster.brokers().items() if name == "kafka-0"]  # none, between two of them
            states = [one for pod in pods for one in pod.status.init_container_statuses or []]
            ended = [one.last_state.terminated or one.state.terminated for one in states if one.name == "prepare"]
            return any(one and "is in zone zone-x, but the cluster's zones are" in (one.message or "") for one in ended)

        eventually("the refusal is what kubectl describe shows", refused)
    finally:
        cluster.kubectl("label", "node", node, f"{ZONE}={zone}", "--overwrite")
    cluster.core.delete_namespaced_pod("kafka-0", cluster.namespace)
    eventually("kafka-0 is ready", lambda: "kafka-0" in cluster.ready())
