"""Topics: what is changed, what is refused, and what the tools are called with."""

from typing import Any

import pytest

from components.live import topic
from components.live.kafka import LiveKafka
from components.live.topic import TopicProvider
from components.scripts.process import Refused
from tests.unit.live.conftest import SIMULATED, Kafka, reach

CONFIG = {"min.insync.replicas": "2"}
FOUND = {"partitions": 6, "replicationFactor": 3, "config": CONFIG}


def orders(**changed: Any) -> dict[str, Any]:
    """Inputs as the engine gives them: numbers are floats."""
    given = {"name": "orders", "partitions": 6.0, "replicationFactor": 3.0, "config": CONFIG, "allowDeletion": False}
    return {**given, "throttle": 1000.0, **reach(), **changed}


@pytest.mark.parametrize(
    ("found", "done"),
    [
        (
            None,
            [
                "kafka-topics.sh --create --if-not-exists --topic orders --partitions 6 --replication-factor 3 "
                "--config min.insync.replicas=2"
            ],
        ),
        (FOUND, []),
        (FOUND | {"partitions": 3}, ["kafka-topics.sh --alter --topic orders --partitions 6"]),
        (
            FOUND | {"config": {}},
            ["kafka-configs.sh --alter --entity-type topics --entity-name orders --add-config min.insync.replicas=[2]"],
        ),
        (
            FOUND | {"config": {"min.insync.replicas": "3", "retention.ms": "1"}},
            [
                "kafka-configs.sh --alter --entity-type topics --entity-name orders "
                "--add-config min.insync.replicas=[2] --delete-config retention.ms"
            ],
        ),
    ],
)
def test_a_topic_becomes_what_is_asked_for(kafka: Kafka, found: dict[str, Any] | None, done: list[str]) -> None:
    """A topic that is there already is taken over by a creation, too."""
    kafka.topics = {"orders": found} if found else {}
    TopicProvider().create(orders())
    TopicProvider().update("id", orders(partitions=1.0), orders())
    assert [" ".join(call) for call in kafka.done] == done * 2


def test_a_name_with_a_dot_is_no_pattern(kafka: Kafka) -> None:
    kafka.topics = {"a.b": FOUND}
    provider = TopicProvider()
    provider.update("id", orders(name="a.b"), orders(name="a.b", partitions=9.0))
    provider.delete("id", orders(name="a.b", allowDeletion=True))
    assert [call[3] if "--alter" in call else call[4] for call in kafka.done] == [r"a\.b", r"a\.b"]


FEWER = (
    "kafka-ha:topics[orders].partitions: got 5, but the topic has 6, and Kafka can't remove partitions: their records "
    "would go. Set it to 6 or more, or make a new topic."
)


def test_what_would_lose_records_is_refused_in_the_preview() -> None:
    [failure] = TopicProvider().check(orders(), orders(partitions=5.0, replicationFactor=4.0)).failures
    assert (failure.property, failure.reason) == ("partitions", FEWER)


def test_and_where_only_kafka_knows_when_it_is_deployed(kafka: Kafka) -> None:
    kafka.topics = {"orders": FOUND}
    with pytest.raises(Refused) as refusal:
        TopicProvider().create(orders(partitions=5.0))
    assert (str(refusal.value), kafka.done) == (FEWER, [])


@pytest.fixture
def reassigned(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """A Kafka whose reassignments stand among what is done to it."""

    def reassign(tools: LiveKafka, name: str, factor: int, throttle: int) -> None:
        kafka.done.append(("reassign", name, str(factor), str(throttle)))

    monkeypatch.setattr(topic, "reassign_topic", reassign)
    return kafka


THROTTLES = {"leader.replication.throttled.replicas": "0:1", "follower.replication.throttled.replicas": "0:3"}
RAISED = ("reassign", "orders", "4", "1000")


@pytest.mark.parametrize(
    ("factor", "min_isr", "order"),
    [("4", "3", ["reassign", "kafka-configs.sh"]), ("2", "1", ["kafka-configs.sh", "reassign"])],
)
def test_a_replica_is_to_spare_while_the_replication_factor_changes(
    reassigned: Kafka, factor: str, min_isr: str, order: list[str]
) -> None:
    reassigned.topics = {"orders": FOUND}
    asked = orders(replicationFactor=float(factor), config={"min.insync.replicas": min_isr})
    assert TopicProvider().diff("id", orders(), asked).changes
    TopicProvider().update("id", orders(), asked)
    assert [call[0] for call in reassigned.done] == order
    assert ("reassign", "orders", factor, "1000") in reassigned.done


def test_new_partitions_get_the_new_replication_factor_too(reassigned: Kafka) -> None:
    reassigned.topics = {"orders": FOUND}
    TopicProvider().update("id", orders(), orders(partitions=9.0, replicationFactor=4.0))
    assert [call[0] for call in reassigned.done] == ["kafka-topics.sh", "reassign"]


def test_a_reassignment_that_was_interrupted_is_gone_on_with(reassigned: Kafka) -> None:
    """Kafka tells the new replication factor as soon as it begins; its throttle stays until it has ended."""
    reassigned.topics = {"orders": FOUND | {"replicationFactor": 4, "config": CONFIG | THROTTLES}}
    TopicProvider().update("id", orders(), orders(replicationFactor=4.0))
    assert reassigned.done == [RAISED]


def test_a_reassignment_that_is_refused_is_told_with_its_path(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise Refused("not alive: broker 1. Records could be lost. Wait until all are in sync, and run it again.")

    monkeypatch.setattr(topic, "reassign_topic", refuse)
    kafka.topics = {"orders": FOUND}
    with pytest.raises(Refused, match=r"^kafka-ha:topics\[orders\].replicationFactor: got 4, but not alive: broker 1."):
        TopicProvider().update("id", orders(), orders(replicationFactor=4.0))


def test_another_throttle_is_no_change_of_the_topic() -> None:
    assert TopicProvider().diff("id", orders(), orders(throttle=2000.0)).changes is False


def test_a_new_topic_and_one_of_another_name_have_nothing_before_them() -> None:
    provider = TopicProvider()
    assert provider.check({}, orders()).failures == []
    assert provider.check(orders(name="other", partitions=9.0), orders()).failures == []


def test_drift_is_read_and_is_a_change(kafka: Kafka) -> None:
    provider = TopicProvider()
    kafka.topics = {"orders": FOUND}
    assert provider.diff("id", provider.read("id", orders()).outs or {}, orders()).changes is False
    kafka.topics = {"orders": FOUND | {"config": CONFIG | {"retention.ms": "1"}, "partitions": 9}}
    found = provider.read("id", orders())
    assert found.outs == found.inputs == orders(partitions=9, config=CONFIG | {"retention.ms": "1"})
    assert provider.diff("id", found.outs or {}, orders()).changes is True
    assert (
        provider.check(found.inputs or {}, orders())
        .failures[0]
        .reason.startswith("kafka-ha:topics[orders].partitions: got 6, but the topic has 9")
    )
    kafka.topics = {}
    assert provider.read("id", orders()).id == "", "deleted by hand"


def test_a_reassignment_that_goes_on_is_no_drift(reassigned: Kafka) -> None:
    reassigned.topics = {"orders": FOUND | {"config": CONFIG | THROTTLES}}
    provider = TopicProvider()
    assert provider.read("id", orders()).outs == orders()
    asked = orders(config=CONFIG | THROTTLES)
    assert provider.read("id", asked).outs == asked, "set in the settings it is the topic's own"
    provider.create(asked)
    assert reassigned.done == []


def test_what_kafka_says_is_told_with_the_topics_path(kafka: Kafka) -> None:
    kafka.refusal = "Invalid value soon"
    with pytest.raises(Refused, match=r"^kafka-ha:topics\[orders\]: Kafka refuses it: Invalid value soon. Change it"):
        TopicProvider().create(orders())


@pytest.mark.parametrize("where", [reach(), SIMULATED])
def test_deletion_is_guarded(kafka: Kafka, where: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"kafka-ha:topics\[orders\].*set allowDeletion: true"):
        TopicProvider().delete("id", orders(**where))
    assert kafka.done == []
    TopicProvider().delete("id", orders(**where, allowDeletion=True))
    deletion = ("kafka-topics.sh", "--delete", "--if-exists", "--topic", "orders")
    assert kafka.done == ([] if where is SIMULATED else [deletion])
