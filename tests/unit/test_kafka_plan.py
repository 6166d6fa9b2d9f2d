from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.kafka_plan import KafkaPlan, kafka_cluster_id, plan_kafka, plan_topic
from components.kafka_settings import KafkaSettings, TopicSettings

ZONES = ("zone-a", "zone-b", "zone-c")


def plan(**settings: Any) -> KafkaPlan:
    return plan_kafka(KafkaSettings.model_validate(settings), ZONES, "organization/kafka-ha/test/kafka")


def properties(kafka: KafkaPlan) -> dict[str, str]:
    return dict(line.split("=", 1) for line in kafka.server_properties.splitlines())


def test_every_replication_setting_follows_the_two_that_are_given() -> None:
    found = properties(plan(brokers=5, replicationFactor=4, minInsyncReplicas=3))
    factors = ["default.replication.factor", "offsets.topic.replication.factor"]
    factors += ["transaction.state.log.replication.factor", "share.coordinator.state.topic.replication.factor"]
    assert {found[key] for key in factors} == {"4"}
    in_sync = ["min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr"]
    assert {found[key] for key in in_sync} == {"3"}
    assert found["unclean.leader.election.enable"] == "false"
    assert found["auto.create.topics.enable"] == "false"


def test_voters_are_the_first_nodes() -> None:
    kafka = plan(brokers=5, namespace="streams", name="events")
    domain = "events-svc.streams.svc.cluster.local"
    assert properties(kafka)["controller.quorum.voters"] == (
        f"0@events-0.{domain}:9093,1@events-1.{domain}:9093,2@events-2.{domain}:9093"
    )
    assert kafka.brokers == ("events-0", "events-1", "events-2", "events-3", "events-4")
    assert kafka.bootstrap.split(",")[4] == f"events-4.{domain}:9092"


def test_own_properties_are_kept_and_may_differ_from_defaults() -> None:
    found = properties(plan(properties={"auto.create.topics.enable": True, "num.network.threads": 5}))
    assert (found["auto.create.topics.enable"], found["num.network.threads"]) == ("true", "5")


def test_the_checksum_follows_the_files() -> None:
    kafka = plan()
    assert kafka.checksum == plan().checksum
    assert kafka.checksum != plan(properties={"num.io.threads": 4}).checksum
    assert kafka.checksum != replace(kafka, start_script="exit 1").checksum


def test_the_client_command_names_image_and_bootstrap() -> None:
    kafka = plan(namespace="streams", image="registry.example/kafka:4.3.1")
    assert "--image registry.example/kafka:4.3.1" in kafka.client_command
    assert kafka.bootstrap in kafka.client_command


@given(st.text())
def test_a_cluster_id_is_one_that_kafka_takes(identity: str) -> None:
    cluster_id = kafka_cluster_id(identity)
    assert len(cluster_id) == 22
    assert not cluster_id.startswith("-")
    assert cluster_id == kafka_cluster_id(identity)


def test_clusters_have_ids_of_their_own() -> None:
    assert len({kafka_cluster_id(f"organization/kafka-ha/dev/{number}") for number in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ({"name": "a"}, (3, {"min.insync.replicas": "2"})),
        (
            {"name": "a", "replicationFactor": 4, "minInsyncReplicas": 3, "config": {"retention.ms": 1000}},
            (4, {"retention.ms": "1000", "min.insync.replicas": "3"}),
        ),
    ],
)
def test_a_topic_takes_from_its_cluster_what_it_leaves_open(topic: Any, expected: tuple[int, dict[str, str]]) -> None:
    found = plan_topic(TopicSettings.model_validate(topic), KafkaSettings())
    assert (found.replication_factor, found.config) == expected
