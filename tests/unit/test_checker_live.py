"""What the checker tells a program outside, from answers as Kafka's protocol guide writes them."""

import json
import socket
import struct
import sys
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from components import manifests
from components.checker import live
from components.checker.details import Feature, parse_configs, parse_features
from components.checker.wire import Connection, Metadata, Partition, Quorum, Reader, Replica, WireError
from components.kafka_plan import plan_kafka
from components.kafka_settings import KafkaSettings


def string(text: str | None) -> bytes:
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text)) + text.encode()


def compact(text: str) -> bytes:
    return bytes([len(text) + 1]) + text.encode()


def config(name: str, value: str | None, source: int) -> bytes:
    return string(name) + string(value) + struct.pack(">bbbi", 0, source, 0, 1) + string(name) + string(value) + b"\5"


def configs(*resources: tuple[str, int, list[bytes]]) -> bytes:
    """A DescribeConfigs response of version 1."""
    told = [
        struct.pack(">h", error) + string(None) + b"\2" + string(name) + struct.pack(">i", len(found)) + b"".join(found)
        for name, error, found in resources
    ]
    return struct.pack(">ii", 0, len(told)) + b"".join(told)


def versions(error: int = 0, **levels: tuple[int, int]) -> bytes:
    """An ApiVersions response of version 4: levels are finalized and supported."""
    api = struct.pack(">hhh", 18, 0, 4) + b"\0"
    names = {name.replace("_", "."): level for name, level in levels.items()}
    supported = b"".join(compact(name) + struct.pack(">hh", 0, high) + b"\0" for name, (_, high) in names.items())
    final = {name: level for name, (level, _) in names.items() if level}
    finalized = b"".join(compact(name) + struct.pack(">hh", level, level) + b"\0" for name, level in final.items())
    tags = {
        0: bytes([len(names) + 1]) + supported,
        1: struct.pack(">q", 7),
        2: bytes([len(final) + 1]) + finalized,
        3: b"\1",
    }
    tagged = b"".join(bytes([tag, len(content)]) + content for tag, content in tags.items())
    return struct.pack(">h", error) + b"\2" + api + struct.pack(">i", 0) + bytes([len(tags)]) + tagged


def metadata(**replicas: list[int]) -> bytes:
    """A Metadata response of version 5: topics with the replica counts of their partitions."""
    topics = b""
    for name, counts in replicas.items():
        topics += struct.pack(">h", 0) + string(name) + struct.pack(">bi", 0, len(counts))
        for index, count in enumerate(counts):
            nodes = struct.pack(">i", count) + b"".join(struct.pack(">i", node) for node in range(count))
            topics += struct.pack(">hii", 0, index, 0) + nodes + nodes + struct.pack(">i", 0)
    return struct.pack(">ii", 0, 0) + string(None) + struct.pack(">ii", 0, len(replicas)) + topics


class Answers:
    """A node that gives one answer after the other, and keeps the questions."""

    def __init__(self, *answers: bytes) -> None:
        self.questions: list[bytes] = []
        self._answers = list(answers)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection, self._server:
            for answer in self._answers:
                (length,) = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))
                question = connection.recv(length, socket.MSG_WAITALL)
                self.questions.append(question)
                told = question[4:8] + answer  # the correlation
                connection.sendall(struct.pack(">i", len(told)) + told)


def test_configuration_with_its_source() -> None:
    answer = configs(
        ("orders", 0, [config("retention.ms", "5", 1), config("secret", None, 1)]), ("gone", 3, []), ("plain", 0, [])
    )
    found = parse_configs(Reader(answer))
    assert {name: [(one.name, one.value, one.source) for one in its] for name, its in found.items()} == {
        "orders": [("retention.ms", "5", 1), ("secret", "", 1)],
        "plain": [],
    }


def test_features_with_what_holds_and_what_is_known() -> None:
    assert parse_features(Reader(versions(metadata_version=(29, 30), share_version=(0, 1)))) == {
        "metadata.version": Feature(29, 30),
        "share.version": Feature(0, 1),
    }
    with pytest.raises(WireError, match="error 35"):
        parse_features(Reader(versions(error=35)))


def test_the_topics_own_configuration_is_told_and_not_the_brokers() -> None:
    own, brokers, default = config("retention.ms", "5", 1), config("segment.bytes", "9", 4), config("x", "1", 5)
    node = Answers(metadata(orders=[3, 3], a=[1]), configs(("a", 0, [default]), ("orders", 0, [own, brokers])))
    assert live.topics(Connection("127.0.0.1", node.port, 5)) == {
        "a": {"partitions": 1, "replicationFactor": 1, "config": {}},
        "orders": {"partitions": 2, "replicationFactor": 3, "config": {"retention.ms": "5"}},
    }


def test_a_partition_whose_replicas_are_moved_does_not_raise_the_replication_factor() -> None:
    node = Answers(metadata(orders=[4, 3]), configs(("orders", 0, [])))
    assert live.topics(Connection("127.0.0.1", node.port, 5))["orders"]["replicationFactor"] == 3


def test_many_topics_are_asked_for_a_hundred_at_a_time() -> None:
    names = [f"t{number:03}" for number in range(150)]
    parts = [names[:100], names[100:]]
    answers = [configs(*[(name, 0, []) for name in part]) for part in parts]
    node = Answers(metadata(**{name: [1] for name in names}), *answers)
    assert list(live.topics(Connection("127.0.0.1", node.port, 5))) == names
    assert [question.count(b"t") for question in node.questions[1:]] == [100, 50]


def test_what_is_set_for_all_brokers_at_run_time() -> None:
    node = Answers(configs(("", 0, [config("num.io.threads", "9", 3), config("log.dirs", "/x", 4)])))
    assert live.settings(Connection("127.0.0.1", node.port, 5)) == {"num.io.threads": "9"}


@pytest.mark.parametrize("roles", ["broker", "controller"])
def test_the_program_asks_the_nodes_own_listener(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], roles: str
) -> None:
    plan = plan_kafka(KafkaSettings(), ("zone-a", "zone-b", "zone-c"), "unit")
    containers = manifests.stateful_set(plan, plan.brokers)["spec"]["template"]["spec"]["initContainers"]
    [checker] = [container for container in containers if container["name"] == "checker"]
    for variable in checker["env"]:
        monkeypatch.setenv(variable["name"], variable.get("value", ""))
    node = Answers(versions(metadata_version=(29, 30)))
    own = {"BROKER_PORT" if roles == "broker" else "CONTROLLERS": str(node.port)}
    for name, value in {"POD": "kafka-0", "ROLES": roles, **own}.items():
        monkeypatch.setenv(name, f"kafka-0:{value}" if name == "CONTROLLERS" else value)
    monkeypatch.setattr(sys, "argv", ["live", "metadata_version"])
    live.main()
    assert json.loads(capsys.readouterr().out) == {"metadata_version": {"finalized": 29, "supported": 30}}


def test_a_node_that_does_not_answer_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    connection = Connection("127.0.0.1", port, 1)
    for question in (live.metadata_version, live.settings):
        with pytest.raises(WireError, match=rf"^127.0.0.1:{port} does not answer \("):
            question(connection)


class Told:
    """A connection that is told what to answer."""

    def __init__(self, *found: Partition, min_isr: int = 2) -> None:
        self._found, self._min_isr = found, min_isr

    def metadata(self) -> Metadata:
        return Metadata(frozenset({0, 1}), self._found)

    def min_isrs(self, topics: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(topics, self._min_isr)

    def quorum(self) -> Quorum:
        return Quorum(1, 7, (Replica(0, "a", 4000), Replica(1, "b", 5000), Replica(2, "c", -1)))


def test_what_each_broker_holds_and_what_lacks_something() -> None:
    told: Any = Told(
        Partition("orders", 0, 0, (0, 1, 2), (0, 1)),
        Partition("orders", 1, 1, (0, 1, 2), (1,)),
        Partition("orders", 2, -1, (2,), ()),
    )
    found = live.partitions(told)
    assert found["count"] == 3
    assert found["brokers"] == {
        0: {"leads": 1, "holds": 2, "inSync": 1, "alive": True},
        1: {"leads": 1, "holds": 2, "inSync": 2, "alive": True},
        2: {"leads": 0, "holds": 3, "inSync": 0, "alive": False},
    }
    assert {kind: one["first"] for kind, one in found["lacking"].items()} == {
        "offline": ["orders-2"],
        "underMinIsr": ["orders-1", "orders-2"],
        "underReplicated": ["orders-0", "orders-1", "orders-2"],
    }


def test_of_many_that_lack_something_the_first_are_named() -> None:
    told: Any = Told(*(Partition("t", number, 0, (0, 1), (0,)) for number in range(50)))
    assert live.partitions(told)["lacking"]["underReplicated"] == {"count": 50, "first": [f"t-{n}" for n in range(5)]}


def test_how_far_each_voter_is_behind() -> None:
    told: Any = Told()
    assert live.quorum(told) == {"leader": 1, "epoch": 7, "lags": {0: 1000, 1: 0, 2: None}}
