"""Records are kept: acknowledged ones are read back, and a deleted pod comes back to its own."""

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually

pytestmark = pytest.mark.usefixtures("healthy")


def test_acknowledged_records_are_read_back(kafka: KafkaClient, topic: str) -> None:
    acknowledged = kafka.produce(topic, 1000)
    assert len(acknowledged) == 1000
    assert acknowledged <= set(kafka.consume(topic))


def test_a_deleted_pod_returns_with_its_name_its_volume_and_its_data(
    cluster: Cluster, kafka: KafkaClient, topic: str
) -> None:
    acknowledged = kafka.produce(topic, 100)
    before = cluster.brokers()["kafka-1"]
    volume, disk = cluster.volume(before), cluster.disk_id("kafka-1")

    cluster.core.delete_namespaced_pod("kafka-1", cluster.namespace)
    eventually("a new kafka-1 is ready", lambda: cluster.replaced("kafka-1", before.metadata.uid))

    after = cluster.brokers()["kafka-1"]
    assert cluster.volume(after) == volume
    assert after.spec.node_name == before.spec.node_name
    assert cluster.disk_id("kafka-1") == disk, "the disk was not formatted again"
    eventually("all replicas are in sync", cluster.fully_replicated)
    assert acknowledged <= set(kafka.consume(topic))
