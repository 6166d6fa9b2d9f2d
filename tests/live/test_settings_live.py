"""What Kafka holds by itself: topics and run-time settings changed by hand are found, and repaired."""

import time
from typing import Any

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster
from tests.live.process import log
from tests.stack import PulumiFailed, Stack

pytestmark = pytest.mark.usefixtures("healthy")


def uids(cluster: Cluster) -> dict[str, str]:
    return {name: pod.metadata.uid for name, pod in cluster.brokers().items()}


def refresh(stack: Stack, *arguments: str) -> str:
    return stack.pulumi("refresh", "--stack", stack.name, "--yes", "--skip-preview", *arguments)


def set_properties(stack: Stack, **properties: Any) -> None:
    """Those that are there, such as a static one of an earlier test, stay."""

    def edit(config: dict[str, Any]) -> None:
        given = {name.replace("_", "."): value for name, value in properties.items()}
        config["kafka"]["properties"] = config["kafka"].get("properties", {}) | given

    stack.change(edit)


def alter(kafka: KafkaClient, *arguments: str) -> None:
    kafka.tool("kafka-configs.sh", "--alter", *arguments)


BROKERS = ("--entity-type", "brokers", "--entity-default")


def test_a_run_time_setting_holds_in_every_broker_without_a_restart(
    stack: Stack, cluster: Cluster, kafka: KafkaClient
) -> None:
    before, minimum = uids(cluster), kafka.broker_setting(0, "min.insync.replicas")
    set_properties(stack, num_io_threads=12, log_cleaner_backoff_ms=20000)
    stack.up()
    assert uids(cluster) == before
    for broker in range(3):
        assert kafka.broker_setting(broker, "num.io.threads") == "12"
        assert kafka.broker_setting(broker, "log.cleaner.backoff.ms") == "20000"
    assert kafka.broker_setting(0, "min.insync.replicas") == minimum == "2"
    stack.up("--expect-no-changes")


def test_a_run_time_setting_outlives_a_restart(stack: Stack, cluster: Cluster, kafka: KafkaClient) -> None:
    cluster.kubectl("-n", cluster.namespace, "delete", "pod", "kafka-1", "--wait=true")
    cluster.kubectl("-n", cluster.namespace, "wait", "--for=condition=Ready", "pod/kafka-1", "--timeout=300s")
    assert kafka.broker_setting(1, "num.io.threads") == "12"


def test_what_was_changed_by_hand_is_found_and_repaired(
    stack: Stack, cluster: Cluster, kafka: KafkaClient, topic: str
) -> None:
    before = uids(cluster)
    refresh(stack, "--expect-no-changes")
    alter(kafka, *BROKERS, "--add-config", "log.retention.ms=1000000", "--delete-config", "num.io.threads")
    alter(kafka, "--entity-type", "topics", "--entity-name", topic, "--add-config", "segment.ms=500000")
    with pytest.raises(PulumiFailed, match="no changes were expected"):
        refresh(stack, "--expect-no-changes")
    assert stack.preview() == {"kafka-settings": "update", f"{topic}-topic": "update"}
    stack.up()
    assert kafka.broker_setting(2, "num.io.threads") == "12"
    assert kafka.broker_setting(2, "log.retention.ms") != "1000000"
    assert "segment.ms" not in kafka.topic(topic)["Configs"]
    refresh(stack, "--expect-no-changes")
    assert uids(cluster) == before


def test_a_topic_that_was_deleted_by_hand_is_made_again(stack: Stack, kafka: KafkaClient) -> None:
    stack.change(lambda config: config["topics"].append({"name": "forgotten", "allowDeletion": True}))
    stack.up()
    kafka.tool("kafka-topics.sh", "--delete", "--topic", "forgotten")
    refresh(stack)
    assert stack.preview()["forgotten-topic"] == "create"
    stack.up()
    assert "forgotten" in kafka.tool("kafka-topics.sh", "--list").split()
    stack.change(lambda config: config["topics"].pop())
    stack.up()


def test_what_kafka_refuses_is_told_in_a_sentence(stack: Stack) -> None:
    before = stack.config["kafka"]["properties"]
    set_properties(stack, compression_type="fast")
    message = stack.refusal("up", "--yes", "--skip-preview")
    assert "kafka-ha:kafka.properties: Kafka refuses it: Invalid value fast for configuration" in message
    stack.change(lambda config: config["kafka"].update(properties=before))
    stack.up()


def test_settings_that_are_removed_are_reset(stack: Stack, cluster: Cluster, kafka: KafkaClient) -> None:
    before = uids(cluster)

    def edit(config: dict[str, Any]) -> None:
        for name in ("num.io.threads", "log.cleaner.backoff.ms"):
            del config["kafka"]["properties"][name]

    stack.change(edit)
    stack.up()
    assert [kafka.broker_setting(broker, "num.io.threads") for broker in range(3)] == ["8"] * 3
    assert uids(cluster) == before


def test_twenty_topics_are_refreshed_by_one_question(stack: Stack) -> None:
    """The bound is that of a few questions; with a tool of Kafka's for each topic it would be a minute."""
    names = [f"many-{number}" for number in range(20)]
    stack.change(lambda config: config["topics"].extend({"name": name, "allowDeletion": True} for name in names))
    stack.up()
    began = time.monotonic()
    refresh(stack, "--expect-no-changes")
    seconds = time.monotonic() - began
    log.info("a refresh with 21 topics: %.1f s", seconds)
    assert seconds < 20
    stack.change(lambda config: config.update(topics=config["topics"][:-20]))
    stack.up()
