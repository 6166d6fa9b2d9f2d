"""Topics: what is changed, what is refused, and what the tools are called with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from components.scripts.kafka_tools import KafkaTools
from components.scripts.process import Refused
from components.scripts.topic import KafkaTopics, Simulation, Topic, delete, ensure, parse_description

ORDERS = Topic("orders", 6, 3, {"min.insync.replicas": "2"})


@dataclass
class FakeAdmin:
    """Kafka as a topic or none, and a list of what was done."""

    found: Topic | None = None
    done: list[object] = field(default_factory=list)

    def find(self, name: str) -> Topic | None:
        return self.found

    def create(self, topic: Topic) -> None:
        self.done.append(("create", topic.name))

    def add_partitions(self, name: str, partitions: int) -> None:
        self.done.append(("partitions", partitions))

    def configure(self, name: str, changed: Mapping[str, str], removed: set[str]) -> None:
        self.done.append(("configure", dict(changed), removed))

    def delete(self, name: str) -> None:
        self.done.append(("delete", name))


@pytest.mark.parametrize(
    ("found", "done"),
    [
        (None, [("create", "orders")]),
        (ORDERS, []),
        (replace(ORDERS, partitions=3), [("partitions", 6)]),
        (replace(ORDERS, config={}), [("configure", {"min.insync.replicas": "2"}, set())]),
        (
            replace(ORDERS, config={"min.insync.replicas": "3", "retention.ms": "1"}),
            [("configure", {"min.insync.replicas": "2"}, {"retention.ms"})],
        ),
        # a reassignment is under way
        (replace(ORDERS, config={**ORDERS.config, "leader.replication.throttled.replicas": "0:0"}), []),
    ],
)
def test_a_topic_becomes_what_is_asked_for(found: Topic | None, done: list[object]) -> None:
    admin = FakeAdmin(found)
    ensure(admin, ORDERS)
    assert admin.done == done


@pytest.mark.parametrize(
    ("found", "parts"),
    [
        (
            replace(ORDERS, partitions=9),
            ["kafka-ha:topics[orders].partitions: got 6", "the topic has 9", "Set it to 9 or more"],
        ),
        (
            replace(ORDERS, replication_factor=4),
            ["kafka-ha:topics[orders].replicationFactor: got 3", "the topic has 4"],
        ),
    ],
)
def test_what_would_lose_records_is_refused(found: Topic, parts: list[str]) -> None:
    admin = FakeAdmin(found)
    with pytest.raises(Refused) as refusal:
        ensure(admin, ORDERS)
    assert admin.done == []
    for part in parts:
        assert part in str(refusal.value)


def test_deletion_is_guarded() -> None:
    admin = FakeAdmin(ORDERS)
    with pytest.raises(Refused, match="set allowDeletion: true"):
        delete(admin, ORDERS, allowed=False)
    assert admin.done == []
    delete(admin, ORDERS, allowed=True)
    assert admin.done == [("delete", "orders")]


def test_a_description_is_read() -> None:
    text = (
        "Topic: orders\tTopicId: x1:y\tPartitionCount: 6\tReplicationFactor: 3\t"
        "Configs: min.insync.replicas=2,cleanup.policy=compact,delete,retention.ms=1000\n"
        "\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,2,0\tIsr: 1,2,0\n"
    )
    config = {"min.insync.replicas": "2", "cleanup.policy": "compact,delete", "retention.ms": "1000"}
    assert parse_description(text) == Topic("orders", 6, 3, config)


@pytest.mark.parametrize("text", ["", "\n", "Error while executing topic command"])
def test_no_description(text: str) -> None:
    assert parse_description(text) is None


def test_a_topic_without_configuration_is_read() -> None:
    text = "Topic: a\tTopicId: b\tPartitionCount: 1\tReplicationFactor: 3\tConfigs: \n"
    assert parse_description(text) == Topic("a", 1, 3, {})


def test_a_simulated_topic_is_what_was_printed_last() -> None:
    assert Simulation({}).find("orders") is None
    previous = json.dumps(replace(ORDERS, partitions=9).__dict__)
    with pytest.raises(Refused, match="the topic has 9"):
        ensure(Simulation({"PULUMI_COMMAND_STDOUT": previous}), ORDERS)


def test_the_next_broker_is_asked_when_one_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubectl").write_text(
        f'#!/bin/bash\necho "$@" >>{tmp_path}/calls\n[[ "$*" == *"exec kafka-1"* ]] || {{ echo down >&2; exit 1; }}\n'
    )
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    tools = KafkaTools(
        {
            "KUBECONFIG_CONTENT": "",
            "NAMESPACE": "streams",
            "BROKER_PODS": "kafka-0 kafka-1 kafka-2",
            "BOOTSTRAP": "b:9092",
        }
    )
    KafkaTopics(tools).create(ORDERS)
    first, second = (tmp_path / "calls").read_text().splitlines()
    assert "exec kafka-0" in first
    assert second.endswith(
        "exec kafka-1 -c kafka -- /opt/kafka/bin/kafka-topics.sh --bootstrap-server b:9092 --create --if-not-exists "
        "--topic orders --partitions 6 --replication-factor 3 --config min.insync.replicas=2"
    )
