"""What the components register of dynamic resources, under Pulumi's mocks."""

from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from components.kafka_cluster import KafkaCluster
from components.kafka_settings import KafkaSettings, TopicSettings
from components.kafka_topic import KafkaTopic
from components.kinds.kwok import KwokSettings
from components.scripts.kwok_cluster import Kwok
from components.zoned_cluster import ZonedCluster

SECRET = "4dabf18193072939515e22adb298388d"  # the engine's mark


class Recorder(mocks.Mocks):
    """Remembers what was registered; the cluster's command prints its kubeconfig."""

    def __init__(self) -> None:
        self.registered: dict[str, mocks.MockResourceArgs] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.registered[args.name] = args
        return f"{args.name}-id", {**args.inputs, "stdout": "kubeconfig"}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, mocks.MockResourceArgs]:
    monkeypatch.setattr(Kwok, "find", lambda self: None)
    recorder = Recorder()
    mocks.set_mocks(recorder, project="kafka-ha", stack="unit", organization="organization")

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> None:
        settings = KafkaSettings(
            namespace="streams", metadata_version="4.3", properties={"num.io.threads": "16", "log.retention.hours": "1"}
        )
        kafka = KafkaCluster("kafka", settings, ZonedCluster("cluster", KwokSettings(kind="kwok")))
        KafkaTopic("orders", TopicSettings(name="orders", partitions=6, config={"retention.ms": "5"}), kafka)

    run()
    return recorder.registered


TOPIC = ("name", "partitions", "replicationFactor", "config", "allowDeletion", "throttle")
NAMES = {
    "orders-topic": "Topic",
    "kafka-settings": "Settings",
    "kafka-image": "Image",
    "kafka-metadata-version": "MetadataVersion",
}


def test_each_reaches_its_kafka_and_keeps_the_kubeconfig_secret(
    registered: dict[str, mocks.MockResourceArgs],
) -> None:
    for name, kind in NAMES.items():
        args = registered[name]
        assert args.typ == f"pulumi-python:dynamic/kafka-ha:{kind}"
        assert args.inputs["cluster"] == "kwok-kafka-ha/streams/kafka"
        assert args.inputs["connection"]["SIMULATED"] == "yes"
        assert args.inputs["connection"]["NAMESPACE"] == "streams"
        assert "KUBECONFIG_CONTENT" not in args.inputs["connection"]
        assert SECRET in args.inputs["kubeconfig"], "marked as a secret"
        assert args.inputs["kubeconfig"]["value"] == "kubeconfig"


def test_what_each_is_to_make(registered: dict[str, mocks.MockResourceArgs]) -> None:
    topic = registered["orders-topic"].inputs
    assert {name: topic[name] for name in TOPIC} == {
        "name": "orders",
        "partitions": 6,
        "replicationFactor": 3,
        "config": {"retention.ms": "5", "min.insync.replicas": "2"},
        "allowDeletion": False,
        "throttle": 50 * 2**20,
    }
    assert registered["kafka-settings"].inputs["settings"] == {
        "min.insync.replicas": "2",
        "num.io.threads": "16",
    }
    assert registered["kafka-image"].inputs["image"] == "apache/kafka:4.3.1"
    version = registered["kafka-metadata-version"].inputs
    assert (version["metadataVersion"], version["pods"]) == ("4.3", ["kafka-0", "kafka-1", "kafka-2"])
