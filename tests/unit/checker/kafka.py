"""A Kafka that answers what a test tells it to: an encoder of answers that knows nothing of the checker's decoder, and
a server on the loopback.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from components.checker.wire import DESCRIBE_CONFIGS, DESCRIBE_QUORUM, METADATA, Partition, Replica


def text(value: str | None) -> bytes:
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value.encode())) + value.encode()


def array(items: Sequence[bytes] | None) -> bytes:
    return struct.pack(">i", -1) if items is None else struct.pack(">i", len(items)) + b"".join(items)


def int32s(values: Sequence[int]) -> bytes:
    return array([struct.pack(">i", value) for value in values])


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + varint(value // 128)


def compact_text(value: str | None) -> bytes:
    return varint(0) if value is None else varint(len(value.encode()) + 1) + value.encode()


def compact_array(items: Sequence[bytes]) -> bytes:
    return varint(len(items) + 1) + b"".join(items)


def metadata(brokers: Sequence[int], partitions: Sequence[Partition], topic_error: int = 0) -> bytes:
    """A Metadata response of version 5, after its correlation id."""
    topics: dict[str, list[bytes]] = {}
    for topic, number, leader, replicas, isr in partitions:
        told = struct.pack(">hii", 0, number, leader) + int32s(replicas) + int32s(isr) + int32s(())
        topics.setdefault(topic, []).append(told)
    told_brokers = [struct.pack(">i", node) + text("host") + struct.pack(">i", 9092) + text(None) for node in brokers]
    told_topics = [
        struct.pack(">h", topic_error) + text(name) + b"\0" + array(partitions) for name, partitions in topics.items()
    ]
    return struct.pack(">i", 0) + array(told_brokers) + text("cluster") + struct.pack(">i", 0) + array(told_topics)


def configs(min_isrs: Mapping[str, str | None]) -> bytes:
    """A DescribeConfigs response of version 1, after its correlation id; None is a topic that there is not."""
    results = []
    for topic, value in min_isrs.items():
        synonyms = array([text("min.insync.replicas") + text("1") + b"\5"])
        found = [] if value is None else [text("min.insync.replicas") + text(value) + b"\0\1\0" + synonyms]
        results.append(struct.pack(">h", 3 if value is None else 0) + text(None) + b"\2" + text(topic) + array(found))
    return struct.pack(">i", 0) + array(results)


def quorum(leader: int, voters: Sequence[Replica], error: int = 0, topic_error: int = 0) -> bytes:
    """A DescribeQuorum response of version 2, after its correlation id; the rest of its header included."""

    def replica(node: int, directory: str, caught_up: int) -> bytes:
        # A tag of a version to come, number 7 of 3 bytes, is to be passed over.
        tags = varint(1) + varint(7) + varint(3) + b"tag"
        return (
            struct.pack(">i", node)
            + base64.urlsafe_b64decode(directory + "==")
            + struct.pack(">qqq", 9, 9, caught_up)
            + tags
        )

    partition = struct.pack(">ih", 0, topic_error) + compact_text(None) + struct.pack(">iiq", leader, 4, 100)
    replicas = [replica(*voter) for voter in voters]
    partition += compact_array(replicas) + compact_array(replicas[:1]) + varint(0)
    topic = compact_text("__cluster_metadata") + compact_array([partition]) + varint(0)
    listener = compact_text("CONTROLLER") + compact_text("host") + struct.pack(">H", 9093) + varint(0)
    nodes = compact_array([struct.pack(">i", leader) + compact_array([listener]) + varint(0)])
    return varint(0) + struct.pack(">h", error) + compact_text(None) + compact_array([topic]) + nodes + varint(0)


def directory(number: int) -> str:
    """The id of a disk."""
    return base64.urlsafe_b64encode(bytes([number] * 16)).decode().rstrip("=")


Behaviour = Callable[[int], Iterator[bytes]]
"""From a correlation id to the parts that are sent, one after the other; the connection is closed where it raises."""


def frame(answer: bytes, correlation: int) -> bytes:
    return struct.pack(">ii", len(answer) + 4, correlation) + answer


@dataclass
class FakeKafka:
    """`answers`: what it says to each API. `behave`: what it does instead of answering the next questions."""

    answers: dict[int, bytes] = field(default_factory=dict)
    behave: list[Behaviour] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def is_told(
        self,
        brokers: Sequence[int] = (),
        partitions: Sequence[Partition] = (),
        min_isrs: Mapping[str, str | None] | None = None,
        voters: Sequence[Replica] = (),
        leader: int = 0,
    ) -> None:
        """Answers all three questions."""
        self.answers = {
            METADATA: metadata(brokers, partitions),
            DESCRIBE_CONFIGS: configs(min_isrs or {}),
            DESCRIBE_QUORUM: quorum(leader, voters),
        }

    def converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), connection, connection.makefile("rb") as received:
            while head := received.read(4):
                question = received.read(struct.unpack(">i", head)[0])
                api, _, correlation = struct.unpack(">hhi", question[:8])
                self.asked.append(api)
                parts = self.behave.pop(0)(correlation) if self.behave else [frame(self.answers[api], correlation)]
                for part in parts:
                    connection.sendall(part)


@contextlib.contextmanager
def running(kafka: FakeKafka) -> Iterator[FakeKafka]:
    """Runs it on a free port of the loopback; when it ends, so do its connections."""
    with socket.create_server(("127.0.0.1", kafka.port)) as server:
        kafka.port = server.getsockname()[1]
        conversations: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    kafka.connections += 1
                    conversations.append(connection)
                    threading.Thread(target=kafka.converse, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield kafka
        server.shutdown(socket.SHUT_RDWR)
    for connection in conversations:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def slowly(answer: bytes, parts: int, seconds: float) -> Behaviour:
    """Sends an answer in parts over a time."""

    def behave(correlation: int) -> Iterator[bytes]:
        whole = frame(answer, correlation)
        for part in range(parts):
            yield whole[part * len(whole) // parts : (part + 1) * len(whole) // parts]
            time.sleep(seconds / parts)

    return behave


def sending(data: bytes) -> Behaviour:
    """Sends just this."""
    return lambda correlation: iter([data])


def closing(correlation: int) -> Iterator[bytes]:
    """Closes the connection."""
    raise EOFError
