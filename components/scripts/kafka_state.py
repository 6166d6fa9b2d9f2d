"""Brokers, partitions and voters, as Kafka's tools tell of them. Pure, but for `read_…`."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from components.scripts.kafka_tools import KafkaTools
from components.scripts.process import Refused
from components.scripts.reassignment import Assignment, Key, listed

THROTTLES = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")
"""Configuration of a topic that a reassignment sets, and removes when it has ended."""


@dataclass(frozen=True)
class Broker:
    """A broker that is registered; fenced ones are not alive."""

    id: int
    rack: str
    alive: bool


@dataclass(frozen=True)
class Partition:
    """A partition as it stands. While it is reassigned, `replicas` are those to come and then those that go."""

    replicas: tuple[int, ...]
    isr: frozenset[int]
    adding: frozenset[int] = frozenset()
    removing: frozenset[int] = frozenset()

    @property
    def target(self) -> tuple[int, ...]:
        """Its replicas, once it is reassigned."""
        return tuple(broker for broker in self.replicas if broker not in self.removing)

    def is_at(self, replicas: tuple[int, ...]) -> bool:
        """Whether its replicas are these, and none of them is still being added."""
        return self.replicas == replicas and not self.adding


@dataclass(frozen=True)
class Voter:
    """A voter of the quorum, with the id of its disk (KIP-853)."""

    id: int
    directory: str


@dataclass(frozen=True)
class State:
    """A cluster. `throttled` are the topics whose replication a reassignment throttles, or left throttled."""

    brokers: dict[int, Broker]
    partitions: dict[Key, Partition]
    throttled: frozenset[str]

    @property
    def targets(self) -> Assignment:
        """Where replicas will be when what is under way has ended."""
        return {key: partition.target for key, partition in self.partitions.items()}

    @property
    def moving(self) -> bool:
        """Whether any partition is being reassigned."""
        return any(one.adding or one.removing for one in self.partitions.values())

    def racks(self, brokers: Collection[int]) -> dict[int, str]:
        """Of those brokers that are there."""
        return {broker: found.rack for broker, found in self.brokers.items() if broker in brokers}

    def check(self, brokers: Collection[int], keys: Collection[Key]) -> None:
        """Whether partitions may be moved to `brokers`. Raises Refused where the last replica that holds all records
        could get lost on the way.
        """
        late, alone = [], []
        for topic, index in sorted(keys):
            partition = self.partitions[topic, index]
            out = set(partition.replicas) - partition.adding - partition.isr
            if not out.isdisjoint(brokers):
                late.append(f"{topic}-{index}")
            elif out and partition.isr.isdisjoint(brokers):
                alone.append(f"{topic}-{index}")
        dead = [broker for broker in brokers if broker not in self.brokers or not self.brokers[broker].alive]
        troubles: dict[str, Sequence[object]] = {
            "not alive: broker": dead,
            "not in sync on the brokers that are to keep them: partition": late,
            "in sync only on brokers that leave or are gone, and not on all of those: partition": alone,
        }
        if found := [f"{trouble} {listed(what)}" for trouble, what in troubles.items() if what]:
            raise Refused(f"{'; '.join(found)}. Records could be lost. Wait until all are in sync, and run it again.")


def read_state(tools: KafkaTools) -> State:
    """The cluster as it stands. Raises Refused."""
    topics = tools.run("kafka-topics.sh", "--describe")
    return State(read_brokers(tools), parse_partitions(topics), parse_throttled(topics))


def read_brokers(tools: KafkaTools) -> dict[int, Broker]:
    """The brokers that are registered, by id. Raises Refused."""
    return parse_brokers(tools.run("kafka-cluster.sh list-endpoints", "--include-fenced-brokers"))


def read_voters(tools: KafkaTools) -> list[Voter]:
    """The quorum's voters. Raises Refused."""
    return parse_voters(tools.run("kafka-metadata-quorum.sh", "describe", "--replication"))


def parse_brokers(text: str) -> dict[int, Broker]:
    """Of `kafka-cluster.sh list-endpoints --include-fenced-brokers`: a line for each, under one of headings."""
    rows = (line.split() for line in text.splitlines())
    found = (Broker(int(row[0]), row[3], row[4] == "unfenced") for row in rows if len(row) > 4 and row[0].isdigit())
    return {broker.id: broker for broker in found}


def parse_partitions(text: str) -> dict[Key, Partition]:
    """Of `kafka-topics.sh --describe`."""
    partitions = {}
    for fields in map(_fields, text.splitlines()):
        if "Partition" in fields:
            ids = {name: tuple(int(one) for one in fields.get(name, "").split(",") if one) for name in _LISTS}
            replicas, isr, adding, removing = (ids[name] for name in _LISTS)
            key = fields["Topic"], int(fields["Partition"])
            partitions[key] = Partition(replicas, frozenset(isr), frozenset(adding), frozenset(removing))
    return partitions


_LISTS = ("Replicas", "Isr", "Adding Replicas", "Removing Replicas")


def parse_throttled(text: str) -> frozenset[str]:
    """Of `kafka-topics.sh --describe`: the topics on which a reassignment has set its throttles."""
    topics = (fields for fields in map(_fields, text.splitlines()) if "Configs" in fields)
    return frozenset(topic["Topic"] for topic in topics if all(f"{name}=" in topic["Configs"] for name in THROTTLES))


def parse_voters(text: str) -> list[Voter]:
    """Of `kafka-metadata-quorum.sh describe --replication`; the others in it are observers."""
    rows = (line.split() for line in text.splitlines())
    return [Voter(int(row[0]), row[1]) for row in rows if len(row) == 7 and row[-1] in ("Leader", "Follower")]


def parse_moving(text: str) -> list[Key]:
    """Of `kafka-reassign-partitions.sh --verify`: the partitions that are not yet where they are to be."""
    found = re.findall(r"^Reassignment of partition (\S+)-(\d+) is still in progress\.$", text, re.MULTILINE)
    return [(topic, int(index)) for topic, index in found]


def _fields(line: str) -> dict[str, str]:
    parts = (part.partition(":") for part in line.strip().split("\t"))
    return {name: value.strip() for name, colon, value in parts if colon}
