"""A zone in maintenance: its node is drained, and a second one is refused until it is back."""

import pytest
from kubernetes.client import ApiException

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually

pytestmark = pytest.mark.usefixtures("healthy")


def test_a_second_eviction_is_refused_while_a_node_is_drained(cluster: Cluster, kafka: KafkaClient, topic: str) -> None:
    node = cluster.brokers()["kafka-2"].spec.node_name
    volume = cluster.volume(cluster.brokers()["kafka-2"])
    cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
    try:
        # its volume is on that node: it waits rather than start empty in another zone
        eventually("kafka-2 is pending", lambda: cluster.pending("kafka-2"))
        eventually("the budget is used up", lambda: cluster.disruptions_allowed() == 0)
        with pytest.raises(ApiException) as refused:
            cluster.evict("kafka-0")
        assert refused.value.status == 429
        assert cluster.ready() == {"kafka-0", "kafka-1"}
        acknowledged = kafka.produce(topic, 100)
        assert len(acknowledged) == 100, "two of three brokers take writes"
    finally:
        cluster.kubectl("uncordon", node)

    eventually("kafka-2 is ready", lambda: "kafka-2" in cluster.ready())
    assert cluster.brokers()["kafka-2"].spec.node_name == node
    assert cluster.volume(cluster.brokers()["kafka-2"]) == volume
    eventually("all replicas are in sync", cluster.fully_replicated)
    eventually("an eviction is allowed again", lambda: cluster.disruptions_allowed() == 1)
    assert acknowledged <= set(kafka.consume(topic))
