"""From settings to names, addresses, counts and files."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.failover import CLIENT, SERVER
from components.kafka_plan import KafkaPlan, NodesPlan, kafka_facts, kafka_id, plan_kafka, plan_topic
from components.kafka_settings import MANAGED_PROPERTIES, KafkaSettings, TopicSettings

ZONES = ("zone-a", "zone-b", "zone-c")


def plan(**settings: Any) -> KafkaPlan:
    return plan_kafka(KafkaSettings.model_validate(settings), ZONES, "organization/kafka-ha/test/kafka")


def properties(kafka: KafkaPlan, nodes: NodesPlan | None = None) -> dict[str, str]:
    return dict(line.split("=", 1) for line in kafka.files(nodes or kafka.brokers)["server.properties"].splitlines())


def ports(nodes: NodesPlan) -> dict[str, int]:
    return {listener.name: listener.port for listener in nodes.listeners}


def test_in_combined_mode_each_node_is_both() -> None:
    kafka = plan(brokers=5, namespace="streams", name="events")
    (nodes,) = kafka.groups
    assert (nodes.name, nodes.component, nodes.first_id, nodes.max_unavailable) == ("events", "broker", 0, 1)
    assert nodes.roles == ("broker", "controller")
    assert ports(nodes) == {"PLAINTEXT": 9092, "CONTROLLER": 9093}
    assert nodes.pods == ("events-0", "events-1", "events-2", "events-3", "events-4")
    domain = "streams.svc.cluster.local"
    assert kafka.bootstrap.split(",")[4] == f"events-4.{domain}:9092"
    found = properties(kafka)
    assert found["process.roles"] == "broker,controller"
    assert found["listeners"] == "PLAINTEXT://:9092,CONTROLLER://:9093"
    assert found["controller.quorum.bootstrap.servers"].split(",")[0] == f"events-0.{domain}:9093"
    assert [voter.partition(":")[0] for voter in kafka.voters] == [f"{id_}@events-{id_}.{domain}" for id_ in range(5)]


def test_dedicated_controllers_are_a_group_of_their_own_and_the_first_to_be_deployed() -> None:
    kafka = plan(
        dedicatedControllers={"storage": {"size": "20Gi", "storageClass": "fast"}, "resources": {"heap": "256Mi"}},
        faultTolerance=2,
    )
    controllers, brokers = kafka.groups
    assert (brokers.name, brokers.roles, brokers.replicas, brokers.first_id) == ("kafka", ("broker",), 4, 0)
    assert ports(brokers) == {"PLAINTEXT": 9092}
    assert (controllers.name, controllers.component) == ("kafka-controller", "controller")
    assert (controllers.roles, controllers.replicas, controllers.first_id) == (("controller",), 5, 1000)
    assert ports(controllers) == {"CONTROLLER": 9093}
    assert (str(controllers.storage.size), controllers.storage.storage_class) == ("20Gi", "fast")
    assert (str(controllers.resources.heap), str(brokers.resources.heap)) == ("256Mi", "512Mi")
    quorum = "kafka-controller-0.kafka.svc.cluster.local:9093"
    assert kafka.voters[0].startswith(f"1000@{quorum}:")
    for nodes, roles in ((brokers, "broker"), (controllers, "controller")):
        found = properties(kafka, nodes)
        assert found["process.roles"] == roles
        assert found["controller.quorum.bootstrap.servers"].split(",")[0] == quorum
        assert found["min.insync.replicas"] == "2", "the controllers' file seeds the cluster's (KIP-966)"
    assert properties(kafka, controllers)["listeners"] == "CONTROLLER://:9093"
    assert kafka.bootstrap.count(":9092") == 4


def test_a_voter_keeps_its_directory_when_the_quorum_grows() -> None:
    assert plan(brokers=5).voters[:3] == plan().voters
    assert len({voter.rpartition(":")[2] for voter in plan(brokers=5).voters}) == 5


def test_every_replication_setting_follows_the_two_that_are_given() -> None:
    found = properties(plan(brokers=5, replicationFactor=4, minInsyncReplicas=3))
    factors = ["default.replication.factor", "offsets.topic.replication.factor"]
    factors += ["transaction.state.log.replication.factor", "share.coordinator.state.topic.replication.factor"]
    assert {found[key] for key in factors} == {"4"}
    in_sync = ["min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr"]
    assert {found[key] for key in in_sync} == {"3"}
    assert found["unclean.leader.election.enable"] == "false"
    assert found["auto.create.topics.enable"] == "false"


def test_the_file_is_what_it_is_meant_to_be() -> None:
    """What no other test names; each key of it is managed, or may be set by hand."""
    found = properties(plan(storage={"volumes": 2}))
    assert found["log.dirs"] == "/var/lib/kafka/data/kraft,/var/lib/kafka/data-1/kraft"
    assert found["controller.listener.names"] == "CONTROLLER"
    assert found["inter.broker.listener.name"] == "PLAINTEXT"
    assert found["listener.security.protocol.map"] == "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"
    assert found["controller.quorum.auto.join.enable"] == "true"
    assert found["replica.selector.class"] == "org.apache.kafka.common.replica.RackAwareReplicaSelector"
    assert found["initial.broker.registration.timeout.ms"] == "3600000", "as long as the startup probe waits"
    assert found.items() >= SERVER.items()
    free = {"replica.selector.class", "auto.create.topics.enable", "initial.broker.registration.timeout.ms", *SERVER}
    assert set(found) - free <= set(MANAGED_PROPERTIES)


def test_own_properties_are_kept_and_may_differ_from_defaults() -> None:
    given = {"auto.create.topics.enable": True, "queued.max.requests": 5, "broker.session.timeout.ms": 9000}
    found = properties(plan(properties={**given, "num.network.threads": 5}))
    assert (found["auto.create.topics.enable"], found["queued.max.requests"]) == ("true", "5")
    assert found["broker.session.timeout.ms"] == "9000"
    assert "num.network.threads" not in found, "set at run time: test_registered"


def test_java_reads_a_backslash_that_is_one() -> None:
    assert properties(plan(properties={"a": r"RULE:^CN=(\w+)$/$1/"}))["a"] == r"RULE:^CN=(\\w+)$/$1/"


def test_the_checksum_follows_each_file_and_the_checker(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = plan(dedicatedControllers={})
    files = kafka.files(kafka.brokers)
    assert set(files) == {"server.properties", "start.sh", "stop.sh", "log4j2.yaml"}
    before = kafka.checksum(kafka.brokers)
    assert before == kafka.checksum(kafka.brokers) != kafka.checksum(kafka.controllers)
    for name in kafka.checker:
        changed = replace(kafka, checker={**kafka.checker, name: "pass\n"})
        assert changed.checksum(kafka.brokers) != before, name
    for name in files:
        monkeypatch.setattr(KafkaPlan, "files", lambda self, nodes, name=name: {**files, name: "changed"})
        assert kafka.checksum(kafka.brokers) != before, name


def test_the_checker_is_a_whole_package() -> None:
    assert {"__init__.py", "__main__.py", "prepare.py", "turn.py"} <= set(plan().checker)


def test_clients_are_told_where_and_how() -> None:
    kafka = plan(namespace="streams", image="registry.example/kafka:4.3.1")
    assert "--image registry.example/kafka:4.3.1" in kafka.client_command
    assert kafka.bootstrap in kafka.client_command
    assert dict(line.split("=", 1) for line in kafka.client_properties.splitlines()) == CLIENT


@pytest.mark.parametrize("dedicated", [None, {}])
def test_the_rules_are_told_of_both_roles(dedicated: dict[str, Any] | None) -> None:
    settings = KafkaSettings.model_validate({"dedicatedControllers": dedicated, "faultTolerance": 2})
    facts = kafka_facts(settings, ZONES, {})
    assert (facts.combined, facts.voters) == (dedicated is None, 5)
    assert (facts.max_unavailable, facts.controllers_max_unavailable) == (1, 1)


@pytest.mark.parametrize(("value", "unclean"), [("true", True), (" TRUE ", True), ("false", False)])
def test_the_rules_are_told_of_a_topics_unclean_election(value: str, unclean: bool) -> None:
    topic = TopicSettings(name="orders", config={"unclean.leader.election.enable": value})
    (told,) = kafka_facts(KafkaSettings(), ZONES, {"topics[orders]": topic}).topics
    assert told.unclean is unclean


@given(st.text())
def test_an_id_is_one_that_kafka_takes(identity: str) -> None:
    found = kafka_id(identity)
    assert len(found) == 22
    assert not found.startswith("-")
    assert found == kafka_id(identity)


def test_clusters_have_ids_of_their_own() -> None:
    assert len({kafka_id(f"organization/kafka-ha/dev/{number}") for number in range(1000)}) == 1000


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
