"""The quorum of controllers outlives lost disks, and no disk is formatted as a voter twice."""

import json
import time

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.process import log

pytestmark = pytest.mark.usefixtures("healthy")

BROKERS = {"kafka-0", "kafka-1", "kafka-2"}


def voters(cluster: Cluster, broker: str) -> dict[int, str]:
    """The directory id of each voter, as the broker's checker sees the quorum."""
    return dict(cluster.status(broker).get("voters", []))


def marks(cluster: Cluster) -> dict[str, str]:
    found = cluster.kubectl("-n", cluster.namespace, "get", "configmap", "kafka-marks", "-o", "jsonpath={.data}")
    data: dict[str, str] = json.loads(found)
    return data


def lose_and_replace(cluster: Cluster, kafka: KafkaClient, topic: str, broker: str) -> None:
    """The broker's disk is gone: a new one takes its place in the quorum and in every ISR, by itself."""
    acknowledged = kafka.produce(topic, 100)
    number = int(broker[-1])
    witness = min(BROKERS - {broker})
    before, uid = voters(cluster, witness), cluster.brokers()[broker].metadata.uid
    assert set(before) == {0, 1, 2}

    began = time.monotonic()
    cluster.replace_disk(broker)
    eventually("a new broker is ready", lambda: cluster.replaced(broker, uid))
    log.info("         replaced, voter and in sync after %.0f s", time.monotonic() - began)

    after = voters(cluster, witness)
    assert after == before | {number: cluster.status(broker)["directory"]}, "ready only as a voter"
    assert after[number] != before[number]
    assert cluster.fully_replicated(), "ready only in sync"
    assert marks(cluster)[f"node-{number}"] == "sealed", "it is not formatted for a first quorum any more"
    assert acknowledged <= set(kafka.consume(topic))


def test_a_followers_disk_is_lost(cluster: Cluster, kafka: KafkaClient, topic: str) -> None:
    follower = min(BROKERS - {cluster.quorum_leader(), cluster.leader(topic)})
    lose_and_replace(cluster, kafka, topic, follower)


def test_the_quorum_leaders_own_disk_is_lost(cluster: Cluster, kafka: KafkaClient, topic: str) -> None:
    lose_and_replace(cluster, kafka, topic, cluster.quorum_leader())


def test_all_nodes_are_killed_at_once(cluster: Cluster, kafka: KafkaClient, topic: str) -> None:
    acknowledged = kafka.produce(topic, 100)
    before, pods = voters(cluster, "kafka-0"), cluster.brokers()
    cluster.kill(*BROKERS)
    eventually(
        "all brokers are ready",
        lambda: (
            cluster.ready() == BROKERS
            and all(pod.metadata.uid != pods[name].metadata.uid for name, pod in cluster.brokers().items())
        ),
    )
    assert voters(cluster, "kafka-0") == before
    assert acknowledged <= set(kafka.consume(topic))
