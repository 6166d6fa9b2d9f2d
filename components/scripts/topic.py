"""A topic by Kafka's own tools in a broker's pod: `python3 -m components.scripts.topic create|update|delete`.

From the environment: TOPIC (the plan, as JSON), what `kafka_tools` needs, and SIMULATED where no Kafka answers.
Prints the topic as it stands; an update gets what was printed last as PULUMI_COMMAND_STDOUT.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from components.scripts.kafka_state import THROTTLES
from components.scripts.kafka_tools import KafkaTools
from components.scripts.process import Refused, main, progress


@dataclass(frozen=True)
class Topic:
    """A topic as asked for, or as it stands."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


class Admin(Protocol):
    """What can be done to topics."""

    def find(self, name: str) -> Topic | None:
        """The topic as it stands; its configuration is only what was set on it."""

    def create(self, topic: Topic) -> None:
        """Makes it."""

    def add_partitions(self, name: str, partitions: int) -> None:
        """Raises the number of partitions to `partitions`."""

    def configure(self, name: str, changed: Mapping[str, str], removed: set[str]) -> None:
        """Sets and resets configuration."""

    def delete(self, name: str) -> None:
        """Deletes it with its records."""


class KafkaTopics:
    """Topics by Kafka's own tools."""

    def __init__(self, tools: KafkaTools) -> None:
        self._tool = tools.run

    def find(self, name: str) -> Topic | None:
        """As `kafka-topics.sh --describe` tells."""
        out = self._tool("kafka-topics.sh", "--describe", "--topic", re.escape(name), "--if-exists")
        return parse_description(out)

    def create(self, topic: Topic) -> None:
        """With every setting given, so that nothing depends on the brokers' defaults."""
        config = [argument for key, value in topic.config.items() for argument in ("--config", f"{key}={value}")]
        counts = [
            "--partitions",
            str(topic.partitions),
            "--replication-factor",
            str(topic.replication_factor),
        ]
        self._tool("kafka-topics.sh", "--create", "--if-not-exists", "--topic", topic.name, *counts, *config)

    def add_partitions(self, name: str, partitions: int) -> None:
        """Records with a key may then go to another partition than before."""
        self._tool("kafka-topics.sh", "--alter", "--topic", re.escape(name), "--partitions", str(partitions))

    def configure(self, name: str, changed: Mapping[str, str], removed: set[str]) -> None:
        """In one call; brackets keep a value's commas together."""
        alter = ["kafka-configs.sh", "--alter", "--entity-type", "topics", "--entity-name", name]
        if changed:
            alter += ["--add-config", ",".join(f"{key}=[{value}]" for key, value in sorted(changed.items()))]
        if removed:
            alter += ["--delete-config", ",".join(sorted(removed))]
        self._tool(*alter)

    def delete(self, name: str) -> None:
        """For good."""
        self._tool("kafka-topics.sh", "--delete", "--if-exists", "--topic", re.escape(name))


class Simulation:
    """Topics of a simulated cluster: what the stack's state remembers of them, and nothing else."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        previous = environment.get("PULUMI_COMMAND_STDOUT")
        self._topic = Topic(**json.loads(previous)) if previous else None

    def find(self, name: str) -> Topic | None:
        """What the last update left."""
        return self._topic if self._topic and self._topic.name == name else None

    def create(self, topic: Topic) -> None:
        """Remembered by what is printed."""

    def add_partitions(self, name: str, partitions: int) -> None:
        """Remembered by what is printed."""

    def configure(self, name: str, changed: Mapping[str, str], removed: set[str]) -> None:
        """Remembered by what is printed."""

    def delete(self, name: str) -> None:
        """Forgotten with the state."""


def parse_description(text: str) -> Topic | None:
    """The topic of `kafka-topics.sh --describe`, None where there is none."""
    line = next((line for line in text.splitlines() if line.startswith("Topic:") and "PartitionCount:" in line), None)
    if line is None:
        return None
    parts = (part.partition(":") for part in line.strip().split("\t"))
    fields = {key: value.strip() for key, _, value in parts}
    config = dict(pair.split("=", 1) for pair in re.split(r",(?=[a-z.]+=)", fields.get("Configs", "")) if pair)
    return Topic(fields["Topic"], int(fields["PartitionCount"]), int(fields["ReplicationFactor"]), config)


def ensure(admin: Admin, topic: Topic) -> None:
    """Makes the topic what is asked for. Raises Refused for what would lose or reorder records."""
    found = admin.find(topic.name)
    if found is None:
        admin.create(topic)
        return
    path = f"kafka-ha:topics[{topic.name}]"
    if topic.partitions < found.partitions:
        raise Refused(
            f"{path}.partitions: got {topic.partitions}, but the topic has {found.partitions}, and Kafka can't "
            "remove partitions: "
            f"their records would go. Set it to {found.partitions} or more, or make a new topic."
        )
    if topic.replication_factor != found.replication_factor:
        raise Refused(
            f"{path}.replicationFactor: got {topic.replication_factor}, but the topic has "
            f"{found.replication_factor}. It is "
            f"changed by a reassignment of its partitions (kafka-reassign-partitions.sh); set "
            f"{found.replication_factor} until then."
        )
    if topic.partitions > found.partitions:
        admin.add_partitions(topic.name, topic.partitions)
    changed = {key: value for key, value in topic.config.items() if found.config.get(key) != value}
    removed = set(found.config) - set(topic.config) - set(THROTTLES)  # a reassignment removes those itself
    if changed or removed:
        admin.configure(topic.name, changed, removed)


def delete(admin: Admin, topic: Topic, *, allowed: bool) -> None:
    """Deletes the topic. Raises Refused unless its settings allowed it when they were applied last."""
    if not allowed:
        raise Refused(
            f"kafka-ha:topics[{topic.name}]: removing it would delete its records. To do so, set allowDeletion: "
            "true on it and "
            "deploy that first; to keep the topic and only forget it here, pulumi state delete its command."
        )
    admin.delete(topic.name)


def _asked(environment: Mapping[str, str]) -> tuple[Topic, bool]:
    plan: dict[str, Any] = json.loads(environment["TOPIC"])
    return Topic(plan["name"], plan["partitions"], plan["replication_factor"], plan["config"]), plan["allow_deletion"]


def _admin(environment: Mapping[str, str]) -> Admin:
    if environment.get("SIMULATED"):
        progress("simulated cluster: no Kafka answers, the topic is only remembered.")
        return Simulation(environment)
    return KafkaTopics(KafkaTools(environment))


def _ensure() -> None:
    topic, _ = _asked(os.environ)
    ensure(_admin(os.environ), topic)
    print(json.dumps(topic.__dict__, sort_keys=True))


def _delete() -> None:
    topic, allowed = _asked(os.environ)
    delete(_admin(os.environ), topic, allowed=allowed)


if __name__ == "__main__":
    main({"create": _ensure, "update": _ensure, "delete": _delete})
