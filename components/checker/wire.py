"""Kafka's wire protocol, as much as the checker asks: Metadata, DescribeConfigs, DescribeQuorum and
RemoveRaftVoter.

Message formats: Kafka protocol guide, https://kafka.apache.org/protocol; flexible versions: KIP-482; versions that
Kafka 4 still answers: KIP-896.
"""

import base64
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

METADATA, DESCRIBE_CONFIGS, DESCRIBE_QUORUM, REMOVE_VOTER = 3, 32, 55, 81
_METADATA_VERSION, _CONFIGS_VERSION, _QUORUM_VERSION, _REMOVE_VERSION = 5, 1, 2, 0
_CLIENT = b"kafka-ha-checker"
_TOPIC_RESOURCE = 2
_QUORUM_TOPIC = b"__cluster_metadata"
_LONGEST = 256 * 2**20  # bytes of one answer: more is no Kafka

T = TypeVar("T")


class WireError(Exception):
    """No answer, or none that can be used; the message is a clause."""


@dataclass(frozen=True)
class Partition:
    """A partition as a broker's metadata tells. `error` is Kafka's error code, 0 for none."""

    topic: str
    index: int
    leader: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


@dataclass(frozen=True)
class Metadata:
    """The brokers that are registered and not fenced, and every partition."""

    brokers: frozenset[int]
    partitions: tuple[Partition, ...]


@dataclass(frozen=True)
class Replica:
    """A replica of the metadata log; `caught_up` is when it last held all of it, in ms since the epoch."""

    node: int
    directory: str
    caught_up: int


@dataclass(frozen=True)
class Quorum:
    """The quorum as its leader tells. `now` is the leader's own time of having caught up: the time of the answer."""

    leader: int
    epoch: int
    voters: tuple[Replica, ...]

    @property
    def now(self) -> int:
        """The leader's clock, in ms since the epoch: no other node's clock is compared with it."""
        return max((voter.caught_up for voter in self.voters), default=0)


class Connection:
    """A connection that is kept, and made anew after any error."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        """`timeout`: seconds for one question, connecting included."""
        self._address, self._timeout = (host, port), timeout
        self._socket: socket.socket | None = None
        self._sent = 0

    def metadata(self) -> Metadata:
        """All topics. Raises WireError."""
        # all topics (null array), no automatic creation
        return parse_metadata(self._ask(METADATA, _METADATA_VERSION, struct.pack(">ib", -1, 0)))

    def min_isrs(self, topics: Iterable[str]) -> dict[str, int]:
        """The minimum ISR that holds for each topic, its own or the brokers'. Raises WireError."""
        resources = [
            struct.pack(">b", _TOPIC_RESOURCE) + _string(topic) + struct.pack(">i", 1) + _string("min.insync.replicas")
            for topic in topics
        ]
        body = struct.pack(">i", len(resources)) + b"".join(resources) + b"\0"  # no synonyms
        return parse_min_isrs(self._ask(DESCRIBE_CONFIGS, _CONFIGS_VERSION, body))

    def quorum(self) -> Quorum:
        """The quorum of controllers. Raises WireError when no leader answers."""
        topic = b"\2" + _compact(_QUORUM_TOPIC) + b"\2" + struct.pack(">i", 0) + b"\0\0"
        return parse_quorum(self._ask(DESCRIBE_QUORUM, _QUORUM_VERSION, topic + b"\0", flexible=True))

    def remove_voter(self, cluster_id: str, node: int, directory: str) -> None:
        """Takes a voter out of the quorum (KIP-853); only its leader can. Raises WireError."""
        disk = base64.urlsafe_b64decode(directory + "==")
        body = _compact(cluster_id.encode()) + struct.pack(">i", node) + disk + b"\0"
        answer = self._ask(REMOVE_VOTER, _REMOVE_VERSION, body, flexible=True)
        answer.int32()  # throttle time
        _refuse(answer.int16(), answer.compact_string())

    def close(self) -> None:
        """The next question connects again."""
        if self._socket:
            self._socket.close()
        self._socket = None

    def _ask(self, api: int, version: int, body: bytes, *, flexible: bool = False) -> "Reader":
        try:
            answer = self._exchange(api, version, body, flexible)
        except (OSError, WireError) as error:
            self.close()
            host, port = self._address
            raise WireError(f"{host}:{port} does not answer ({error or type(error).__name__})") from error
        reader = Reader(answer)
        if (correlation := reader.int32()) != self._sent:
            self.close()
            raise WireError(f"the answer to question {correlation} came for {self._sent}")
        if flexible:
            reader.tags()
        return reader

    def _exchange(self, api: int, version: int, body: bytes, flexible: bool) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout)
        self._sent += 1
        header = struct.pack(">hhih", api, version, self._sent, len(_CLIENT)) + _CLIENT + (b"\0" if flexible else b"")
        self._socket.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        (length,) = struct.unpack(">i", self._receive(4))
        if not 0 < length < _LONGEST:
            raise WireError("it is no Kafka that answers")
        return self._receive(length)

    def _receive(self, length: int) -> bytes:
        assert self._socket is not None
        parts = bytearray()
        while len(parts) < length:
            part = self._socket.recv(min(length - len(parts), 65536))
            if not part:
                raise WireError("the connection was closed")
            parts += part
        return bytes(parts)


class Reader:
    """Reads an answer from its beginning. Every method raises WireError where the answer ends too soon."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def _unpack(self, form: str) -> int:
        try:
            (value,) = struct.unpack_from(form, self._data, self._at)
        except struct.error as error:
            raise WireError("the answer is cut short") from error
        self._at += struct.calcsize(form)
        return int(value)

    def int8(self) -> int:
        """INT8 and BOOLEAN."""
        return self._unpack(">b")

    def int16(self) -> int:
        """INT16."""
        return self._unpack(">h")

    def int32(self) -> int:
        """INT32."""
        return self._unpack(">i")

    def int64(self) -> int:
        """INT64."""
        return self._unpack(">q")

    def varint(self) -> int:
        """UNSIGNED_VARINT."""
        value = shift = 0
        while True:
            byte = self._unpack(">B")
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
            shift += 7

    def uuid(self) -> str:
        """UUID, as Kafka writes it: URL-safe base64 without padding."""
        return base64.urlsafe_b64encode(self._take(16)).decode().rstrip("=")

    def string(self) -> str:
        """STRING and NULLABLE_STRING; null is empty."""
        return self._take(max(self.int16(), 0)).decode()

    def compact_string(self) -> str:
        """COMPACT_STRING and COMPACT_NULLABLE_STRING; null is empty."""
        return self._take(max(self.varint() - 1, 0)).decode()

    def array(self, item: Callable[[], T]) -> list[T]:
        """ARRAY; null is empty."""
        return [item() for _ in range(self.int32())]

    def compact_array(self, item: Callable[[], T]) -> list[T]:
        """COMPACT_ARRAY; null is empty."""
        return [item() for _ in range(self.varint() - 1)]

    def tags(self) -> None:
        """TAG_BUFFER, passed over."""
        for _ in range(self.varint()):
            self.varint()
            self._take(self.varint())

    def _take(self, length: int) -> bytes:
        part = self._data[self._at : self._at + length]
        if len(part) < length:
            raise WireError("the answer is cut short")
        self._at += length
        return part


def parse_metadata(answer: Reader) -> Metadata:
    """Of a Metadata response of version 5."""

    def broker() -> int:
        node = answer.int32()
        answer.string(), answer.int32(), answer.string()  # host, port, rack
        return node

    def partition(topic: str) -> Partition:
        answer.int16()  # the error says what the ISR says too
        index, leader = answer.int32(), answer.int32()
        replicas, isr = tuple(answer.array(answer.int32)), tuple(answer.array(answer.int32))
        answer.array(answer.int32)  # offline replicas
        return Partition(topic, index, leader, replicas, isr)

    def topic() -> list[Partition]:
        answer.int16()
        name = answer.string()
        answer.int8()  # internal
        return answer.array(lambda: partition(name))

    answer.int32()  # throttle time
    brokers = frozenset(answer.array(broker))
    answer.string(), answer.int32()  # cluster id, controller
    return Metadata(brokers, tuple(partition for partitions in answer.array(topic) for partition in partitions))


def parse_min_isrs(answer: Reader) -> dict[str, int]:
    """Of a DescribeConfigs response of version 1. A topic that is gone meanwhile is left out."""

    def synonym() -> None:
        answer.string(), answer.string(), answer.int8()

    def config() -> str:
        answer.string()
        value = answer.string()
        answer.int8(), answer.int8(), answer.int8()  # read-only, source, sensitive
        answer.array(synonym)
        return value

    def result() -> tuple[str, list[str]]:
        answer.int16(), answer.string(), answer.int8()
        name = answer.string()
        return name, answer.array(config)

    answer.int32()  # throttle time
    return {name: int(values[0]) for name, values in answer.array(result) if values}


def parse_quorum(answer: Reader) -> Quorum:
    """Of a DescribeQuorum response of version 2. Raises WireError where it holds an error."""

    def replica() -> Replica:
        node, directory = answer.int32(), answer.uuid()
        answer.int64(), answer.int64()  # log end offset, last fetch
        found = Replica(node, directory, answer.int64())
        answer.tags()
        return found

    def partition() -> Quorum:
        answer.int32()  # index
        _refuse(answer.int16(), answer.compact_string())
        leader, epoch = answer.int32(), answer.int32()
        answer.int64()  # high watermark
        voters = tuple(answer.compact_array(replica))
        answer.compact_array(replica)  # observers
        answer.tags()
        return Quorum(leader, epoch, voters)

    def topic() -> list[Quorum]:
        answer.compact_string()
        partitions = answer.compact_array(partition)
        answer.tags()
        return partitions

    _refuse(answer.int16(), answer.compact_string())
    found = [partition for partitions in answer.compact_array(topic) for partition in partitions]
    if not found or found[0].leader < 0:
        raise WireError("the quorum has no leader")
    return found[0]


def _refuse(code: int, message: str) -> None:
    if code:
        raise WireError(f"the quorum answers with error {code} ({message or 'see the protocol guide'})")


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _compact(data: bytes) -> bytes:
    return bytes([len(data) + 1]) + data  # of less than 127 bytes
