"""A topic: made, changed and, where allowed, deleted; what would lose or reorder records is refused."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import Output

from components.live.kafka import LiveKafka
from components.live.provider import Inputs, LiveProvider, kafka_of, simulated
from components.own_resource import OwnResource
from components.scripts.kafka_state import THROTTLES
from components.scripts.kafka_tools import KafkaRefused
from components.scripts.moves import reassign_topic
from components.scripts.process import Refused


@dataclass(frozen=True)
class Topic:
    """A topic as asked for, or as it stands: then `config` is what is set on it."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]

    @classmethod
    def of(cls, name: str, found: Inputs) -> "Topic":
        """From inputs, in which the engine makes every number a float."""
        return cls(name, int(found["partitions"]), int(found["replicationFactor"]), dict(found["config"]))

    @property
    def path(self) -> str:
        """Of its settings."""
        return f"kafka-ha:topics[{self.name}]"


def refusals(found: Topic, asked: Topic) -> Iterator[tuple[str, str]]:
    """Field and sentence of each change that would lose or reorder records. Pure."""
    if asked.partitions < found.partitions:
        yield (
            "partitions",
            f"{asked.path}.partitions: got {asked.partitions}, but the topic has {found.partitions}, and Kafka can't "
            f"remove partitions: their records would go. Set it to {found.partitions} or more, or make a new topic.",
        )


class TopicProvider(LiveProvider):
    """Beside its fields it is given `throttle`, the bytes a second that each broker may send, and take, while replicas
    are moved.
    """

    fields = ("partitions", "replicationFactor", "config", "allowDeletion")
    identity = ("cluster", "name")

    def refusals(self, olds: Inputs, news: Inputs) -> Iterator[tuple[str, str]]:
        """Fewer partitions."""
        return refusals(Topic.of(olds["name"], olds), Topic.of(news["name"], news))

    def find(self, kafka: LiveKafka, props: Inputs) -> dict[str, Any] | None:
        """Partitions, replication factor and configuration."""
        found = kafka.topics.get(props["name"])
        if found is None:
            return None
        left_out = _throttles(found["config"], props["config"])
        return {**found, "config": {key: value for key, value in found["config"].items() if key not in left_out}}

    def apply(self, kafka: LiveKafka, news: Inputs) -> None:
        """Makes the topic, or changes it."""
        asked = Topic.of(news["name"], news)
        found = self.find(kafka, news)
        try:
            if found is None:
                self._make(kafka, asked)
            else:
                self._change(kafka, Topic.of(asked.name, found), asked, int(news["throttle"]))
        except KafkaRefused as error:
            raise Refused(f"{asked.path}: Kafka refuses it: {error}. Change it and deploy again.") from error

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Deletes the topic. Raises Refused unless its settings allowed it when they were applied last."""
        name = props["name"]
        if not props["allowDeletion"]:
            raise Refused(
                f"kafka-ha:topics[{name}]: removing it would delete its records. To do so, set allowDeletion: true on "
                "it and deploy that first; to keep the topic and only forget it here, pulumi state delete it."
            )
        if not simulated(props):
            kafka_of(props).run("kafka-topics.sh", "--delete", "--if-exists", "--topic", re.escape(name))

    @staticmethod
    def _make(kafka: LiveKafka, asked: Topic) -> None:
        """With every setting given, so that nothing depends on the brokers' defaults."""
        config = [argument for key, value in asked.config.items() for argument in ("--config", f"{key}={value}")]
        counts = ["--partitions", str(asked.partitions), "--replication-factor", str(asked.replication_factor)]
        kafka.run("kafka-topics.sh", "--create", "--if-not-exists", "--topic", asked.name, *counts, *config)

    @staticmethod
    def _change(kafka: LiveKafka, found: Topic, asked: Topic, throttle: int) -> None:
        """Records with a key may go to another partition than before, when partitions are added. The replication factor
        is raised before the minimum ISR is, and lowered after it: a replica is to spare all the time.
        """

        def configure() -> None:
            kafka.configure(("--entity-type", "topics", "--entity-name", asked.name), found.config, asked.config)

        def reassign() -> None:
            factor = asked.replication_factor
            interrupted = _throttles(kafka.topics[asked.name]["config"], asked.config)
            if factor == found.replication_factor and not interrupted:
                return
            try:
                reassign_topic(kafka, asked.name, factor, throttle)
            except KafkaRefused:
                raise
            except Refused as refusal:
                raise Refused(f"{asked.path}.replicationFactor: got {factor}, but {refusal}") from refusal

        if sentences := [sentence for _, sentence in refusals(found, asked)]:
            raise Refused(" ".join(sentences))
        if asked.partitions > found.partitions:
            count = ["--partitions", str(asked.partitions)]
            kafka.run("kafka-topics.sh", "--alter", "--topic", re.escape(asked.name), *count)
        lower = asked.replication_factor < found.replication_factor
        for step in (configure, reassign) if lower else (reassign, configure):
            step()


def _throttles(found: Mapping[str, str], asked: Mapping[str, str]) -> set[str]:
    """What a reassignment has set in a topic's configuration, and removes when it ends."""
    return set(THROTTLES) & (found.keys() - asked.keys())


class TopicResource(OwnResource, name="Topic", provider=TopicProvider):
    """A topic, and nothing around it; the component is KafkaTopic."""

    name: Output[str]
    """Its name, once it is there."""
