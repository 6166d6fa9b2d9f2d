"""Changes to a running stack."""

import threading
from typing import Any

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, is_ready
from tests.stack import PulumiFailed, Stack

_WITH_COMMA = (
    "leader.replication.throttled.replicas"  # a setting whose value is a list; without a rate it throttles nothing
)

pytestmark = pytest.mark.usefixtures("healthy")


class Watch:
    """Counts, several times a second, how many brokers are not ready."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._end = cluster, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._brokers = cluster.stateful_set().spec.replicas
        self.most_unready, self.looks = 0, 0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(0.3):
            ready = sum(map(is_ready, self._cluster.brokers().values()))
            self.most_unready = max(self.most_unready, self._brokers - ready)
            self.looks += 1


def uids(cluster: Cluster) -> dict[str, str]:
    return {name: pod.metadata.uid for name, pod in cluster.brokers().items()}


def test_a_changed_broker_setting_rolls_the_brokers_one_by_one(
    stack: Stack, cluster: Cluster, kafka: KafkaClient, topic: str
) -> None:
    acknowledged = kafka.produce(topic, 100)
    pods, brokers = uids(cluster), cluster.stateful_set()

    def retention(settings: dict[str, Any]) -> None:
        settings["kafka"]["properties"] = {"log.retention.hours": 200}

    stack.change(retention)
    with Watch(cluster) as watch:
        stack.up()

    assert watch.looks > 10
    assert watch.most_unready == 1
    assert cluster.stateful_set().metadata.uid == brokers.metadata.uid, "updated, not replaced"
    assert not set(pods.values()) & set(uids(cluster).values()), "every broker was restarted"
    assert [kafka.broker_setting(broker, "log.retention.hours") for broker in range(3)] == ["200"] * 3
    assert acknowledged <= set(kafka.consume(topic))


def test_a_topic_is_changed_with_its_records_kept(
    stack: Stack, cluster: Cluster, kafka: KafkaClient, topic: str
) -> None:
    acknowledged = kafka.produce(topic, 100)
    pods = uids(cluster)

    def six(settings: dict[str, Any]) -> None:
        settings["topics"][0] |= {
            "partitions": 6,
            "config": {"retention.ms": 3600000, _WITH_COMMA: "0:0,1:1"},
        }

    stack.change(six)
    stack.up()

    assert kafka.topic(topic)["PartitionCount"] == "6"
    configs = kafka.topic(topic)["Configs"]
    assert "retention.ms=3600000" in configs
    assert f"{_WITH_COMMA}=0:0,1:1" in configs
    assert uids(cluster) == pods, "no broker was restarted"
    assert acknowledged <= set(kafka.consume(topic))
    stack.up("--expect-no-changes")


def test_a_topic_is_deleted_only_when_its_settings_allowed_it(stack: Stack, kafka: KafkaClient) -> None:
    name = "short-lived"
    stack.change(lambda settings: settings["topics"].append({"name": name}))
    stack.up()
    kafka.produce(name, 10)

    stack.change(lambda settings: settings["topics"].pop())
    with pytest.raises(PulumiFailed, match="set allowDeletion: true on it"):
        stack.up()
    assert len(kafka.consume(name)) == 10

    stack.change(lambda settings: settings["topics"].append({"name": name, "allowDeletion": True}))
    stack.up()
    stack.change(lambda settings: settings["topics"].pop())
    stack.up()
    assert name not in kafka.tool("kafka-topics.sh", "--list").split()
