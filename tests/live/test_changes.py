"""Changes to a running stack."""

from typing import Any

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster
from tests.live.load import Load
from tests.live.stack import SINGLE
from tests.live.watch import Watch
from tests.stack import PulumiFailed, Stack

_WITH_COMMA = (
    "leader.replication.throttled.replicas"  # a setting whose value is a list; without a rate it throttles nothing
)

pytestmark = pytest.mark.usefixtures("healthy")


def uids(cluster: Cluster) -> dict[str, str]:
    return {name: pod.metadata.uid for name, pod in cluster.brokers().items()}


def test_a_changed_broker_setting_rolls_the_brokers_one_by_one(
    stack: Stack, cluster: Cluster, kafka: KafkaClient
) -> None:
    pods, brokers = uids(cluster), cluster.stateful_set()

    def retention(settings: dict[str, Any]) -> None:
        settings["kafka"]["properties"] = {"log.retention.hours": 200}

    stack.change(retention)
    with Load(cluster, kafka.image, kafka.bootstrap, SINGLE) as load, Watch(cluster) as watch:
        stack.up()
        report = load.settle(0)

    assert watch.looks > 10
    assert watch.most_unready == 1, "each is in sync before the next stops"
    assert watch.fewest_in_sync == 2, "no partition was under its minimum ISR"
    assert not report.errors
    assert report.longest_gap < 5
    assert cluster.stateful_set().metadata.uid == brokers.metadata.uid, "updated, not replaced"
    assert not set(pods.values()) & set(uids(cluster).values()), "every broker was restarted"
    assert [kafka.broker_setting(broker, "log.retention.hours") for broker in range(3)] == ["200"] * 3
    assert {value for _, value in report.acknowledged} <= set(kafka.consume(SINGLE))


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
