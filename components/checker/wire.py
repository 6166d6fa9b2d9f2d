"""Kafka's wire protocol, as much as the checker asks: Metadata, DescribeConfigs, DescribeQuorum, RemoveRaftVoter.

Message formats: Kafka protocol guide, https://kafka.apache.org/protocol; flexible versions: KIP-482; versions that
Kafka 4 still answers: KIP-896. Named tuples here and in `verdict`: what dataclasses import is a tenth of the checker's
memory.
"""

import base64
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import ssl

METADATA, DESCRIBE_CONFIGS, DESCRIBE_QUORUM, REMOVE_VOTER = 3, 32, 55, 81
_METADATA_VERSION, CONFIGS_VERSION, _QUORUM_VERSION, _REMOVE_VERSION = 5, 1, 2, 0
CLIENT = b"kafka-ha-checker"
_TOPIC_RESOURCE = 2
_QUORUM_TOPIC = b"__cluster_metadata"
_LONGEST = 16 * 2**20  # bytes of one answer: that of 300,000 partitions
_LONGEST_VARINT = 5  # bytes

T = TypeVar("T")


class WireError(Exception):
    """No answer, or none that can be used; the message is a clause."""


class Silent(WireError):
    """Nothing answered in time, or not as Kafka does."""


class Partition(NamedTuple):
    """A partition as a broker's metadata tells."""

    topic: str
    number: int
    leader: int
    replicas: tuple[int, ...]
    """While a reassignment goes on, those that are being added too (KIP-455)."""
    isr: tuple[int, ...]


class Metadata(NamedTuple):
    """The brokers that are registered and not fenced, and every partition."""

    brokers: frozenset[int]
    partitions: tuple[Partition, ...]


class Replica(NamedTuple):
    """A replica of the metadata log. `caught_up`: when it last held all of it, in ms since the epoch; -1 for never."""

    node: int
    directory: str
    caught_up: int


class Quorum(NamedTuple):
    """The quorum as its leader tells."""

    leader: int
    epoch: int
    voters: tuple[Replica, ...]

    @property
    def now(self) -> int:
        """The leader's clock at its answer, when it is caught up with itself, in ms since the epoch: no other node's
        clock is compared with it.
        """
        return max((voter.caught_up for voter in self.voters), default=0)


class Tls(NamedTuple):
    """How a connection is encrypted: by the certificate in `folder`, with whoever has one of `name` by the same CA."""

    folder: str
    name: str

    def wrapped(self, connection: socket.socket) -> "ssl.SSLSocket":
        """The connection, encrypted. Raises OSError. The files are read anew: a renewed certificate is taken."""
        import ssl  # 4 MiB that a cluster without security saves

        context = ssl.create_default_context(cafile=f"{self.folder}/ca.crt")
        context.load_cert_chain(f"{self.folder}/tls.crt", f"{self.folder}/tls.key")
        return context.wrap_socket(connection, server_hostname=self.name)

    def end(self, connection: "ssl.SSLSocket") -> float:
        """When the certificate ends that the other side showed, in seconds since the epoch."""
        import ssl

        return ssl.cert_time_to_seconds(str((connection.getpeercert() or {})["notAfter"]))


class Connection:
    """A connection that is kept, and made anew after any error."""

    def __init__(self, host: str, port: int, timeout: float, tls: Tls | None = None) -> None:
        """`timeout`: seconds for one question, connecting included, the lookup of `host` not."""
        self._address, self._timeout, self._tls = (host, port), timeout, tls
        self._socket: socket.socket | None = None
        self.certificate_end: float | None = None
        """When the other side's certificate ends, in seconds since the epoch; None without TLS, or when it is not known
        yet.
        """
        self._sent = 0
        self._deadline = 0.0
        self._last: dict[int, tuple[bytes, Any]] = {}

    def metadata(self) -> Metadata:
        """All topics. Raises WireError."""
        # all topics (null array), no automatic creation
        return self.ask(METADATA, _METADATA_VERSION, struct.pack(">ib", -1, 0), parse_metadata)

    def min_isrs(self, topics: Iterable[str]) -> dict[str, int]:
        """The minimum ISR that holds for each topic, its own or the brokers'. Raises WireError."""
        asked = struct.pack(">i", 1) + string_of("min.insync.replicas")
        resources = (struct.pack(">b", _TOPIC_RESOURCE) + string_of(topic) + asked for topic in topics)
        body = array_of(resources) + b"\0"  # no synonyms
        return self.ask(DESCRIBE_CONFIGS, CONFIGS_VERSION, body, parse_min_isrs)

    def quorum(self) -> Quorum:
        """The quorum of controllers. Raises WireError when no leader answers."""
        topic = b"\2" + compact_of(_QUORUM_TOPIC) + b"\2" + struct.pack(">i", 0) + b"\0\0"
        return self.ask(DESCRIBE_QUORUM, _QUORUM_VERSION, topic + b"\0", parse_quorum, flexible=True)

    def remove_voter(self, cluster_id: str, node: int, directory: str) -> None:
        """Takes a voter out of the quorum (KIP-853); only its leader can. Raises WireError."""
        disk = base64.urlsafe_b64decode(directory + "==")
        body = compact_of(cluster_id.encode()) + struct.pack(">i", node) + disk + b"\0"
        self.ask(REMOVE_VOTER, _REMOVE_VERSION, body, parse_removal, flexible=True)

    def close(self) -> None:
        """The next question connects again."""
        if self._socket:
            self._socket.close()
        self._socket = None

    def ask(self, api: int, version: int, body: bytes, parse: Callable[["Reader"], T], *, flexible: bool = False) -> T:
        """What `parse` makes of the answer to a question. Raises WireError."""
        try:
            answer = self._exchange(api, version, body, flexible)
        except (OSError, WireError) as error:
            self.close()
            host, port = self._address
            raise Silent(f"{host}:{port} does not answer ({error or type(error).__name__})") from error
        last, value = self._last.get(api, (b"", None))
        if answer != last:  # thousands of partitions that are as they were are not read again
            value = read(parse, answer)
            self._last[api] = answer, value
        return value  # type: ignore[no-any-return]

    def _exchange(self, api: int, version: int, body: bytes, flexible: bool) -> bytes:
        self._deadline = time.monotonic() + self._timeout
        if self._socket is None:
            self._socket = self._connected()
        self._sent += 1
        header = struct.pack(">hhih", api, version, self._sent, len(CLIENT)) + CLIENT + (b"\0" if flexible else b"")
        self._in_time(self._socket).sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        length, correlation = struct.unpack(">ii", self._receive(self._socket, 8))
        if not 4 <= length < _LONGEST or correlation != self._sent:
            raise WireError("what answers is no Kafka")
        return self._receive(self._socket, length - 4)

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(self._address, self._timeout)
        if self._tls is None:
            return connection
        try:
            encrypted = self._tls.wrapped(self._in_time(connection))
            self.certificate_end = self._tls.end(encrypted)
            return encrypted
        except BaseException:
            connection.close()
            raise

    def _receive(self, connection: socket.socket, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            part = self._in_time(connection).recv(min(length - len(parts), 65536))
            if not part:
                raise WireError("the connection was closed")
            parts += part
        return bytes(parts)

    def _in_time(self, connection: socket.socket) -> socket.socket:
        """Raises TimeoutError when there is no time left: many small parts must not take longer than one."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
        return connection


class Reader:
    """Reads an answer from its beginning. Raises struct.error where it ends too soon, ValueError where it makes no
    sense: use `read`.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def numbers(self, form: str) -> tuple[int, ...]:
        """Numbers in a row, whose sizes `struct` describes; a BOOLEAN is a b."""
        found = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def int16(self) -> int:
        """INT16."""
        return self.numbers(">h")[0]

    def int32(self) -> int:
        """INT32."""
        return self.numbers(">i")[0]

    def int32s(self) -> tuple[int, ...]:
        """ARRAY of INT32; null is empty."""
        return self.numbers(f">{max(self.int32(), 0)}i")

    def varint(self) -> int:
        """UNSIGNED_VARINT."""
        value = 0
        for place in range(_LONGEST_VARINT):
            (byte,) = self.numbers(">B")
            value |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                return value
        raise ValueError("a number has too many bytes")

    def uuid(self) -> str:
        """UUID, as Kafka writes it: URL-safe base64 without padding."""
        return base64.urlsafe_b64encode(self.take(16)).decode().rstrip("=")

    def string(self) -> str:
        """STRING and NULLABLE_STRING; null is empty."""
        return self.take(max(self.int16(), 0)).decode()

    def compact_string(self) -> str:
        """COMPACT_STRING and COMPACT_NULLABLE_STRING; null is empty."""
        return self.take(max(self.varint() - 1, 0)).decode()

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
            self.take(self.varint())

    def take(self, length: int) -> bytes:
        """Bytes as they are."""
        part = self._data[self._at : self._at + length]
        if len(part) < length:
            raise ValueError("the answer is cut short")
        self._at += length
        return part


def read(parse: Callable[[Reader], T], answer: bytes) -> T:
    """What an answer says; its bytes are those after the correlation id. Raises WireError."""
    try:
        return parse(Reader(answer))
    except (struct.error, ValueError) as error:
        raise WireError(f"an answer can't be read ({error})") from error


def parse_metadata(answer: Reader) -> Metadata:
    """Of a Metadata response of version 5. Raises WireError where a topic is not told, but an error in its stead."""

    def broker() -> int:
        node = answer.int32()
        answer.string(), answer.int32(), answer.string()  # host, port, rack
        return node

    def partition(topic: str) -> Partition:
        _, number, leader = answer.numbers(">hii")  # the error says what the ISR says too
        replicas, isr, _ = answer.int32s(), answer.int32s(), answer.int32s()  # the last: offline replicas
        return Partition(topic, number, leader, replicas, isr)

    def topic() -> list[Partition]:
        error, name = answer.int16(), answer.string()
        if error:
            raise WireError(f"topic {name} has error {error}")
        answer.numbers(">b")  # internal
        return answer.array(lambda: partition(name))

    answer.int32()  # throttle time
    brokers = frozenset(answer.array(broker))
    answer.string(), answer.int32()  # cluster id, controller
    return Metadata(brokers, tuple(partition for partitions in answer.array(topic) for partition in partitions))


def parse_min_isrs(answer: Reader) -> dict[str, int]:
    """Of a DescribeConfigs response of version 1. A topic that is gone meanwhile is left out."""

    def synonym() -> None:
        answer.string(), answer.string(), answer.numbers(">b")

    def config() -> str:
        answer.string()
        value = answer.string()
        answer.numbers(">bbb")  # read-only, source, sensitive
        answer.array(synonym)
        return value

    def result() -> tuple[str, list[str]]:
        answer.int16(), answer.string(), answer.numbers(">b")  # error, its message, type
        return answer.string(), answer.array(config)

    answer.int32()  # throttle time
    return {name: int(values[0]) for name, values in answer.array(result) if values}


def parse_quorum(answer: Reader) -> Quorum:
    """Of a DescribeQuorum response of version 2. Raises WireError where it holds an error."""

    def replica() -> Replica:
        node, directory = answer.int32(), answer.uuid()
        _, _, caught_up = answer.numbers(">qqq")  # log end offset, last fetch
        answer.tags()
        return Replica(node, directory, caught_up)

    def partition() -> Quorum:
        answer.int32()  # index
        refuse("the quorum", answer.int16(), answer.compact_string())
        leader, epoch, _ = answer.numbers(">iiq")  # the last: high watermark
        voters = tuple(answer.compact_array(replica))
        answer.compact_array(replica)  # observers
        answer.tags()
        return Quorum(leader, epoch, voters)

    def topic() -> list[Quorum]:
        answer.compact_string()
        partitions = answer.compact_array(partition)
        answer.tags()
        return partitions

    answer.tags()  # of the header
    refuse("the quorum", answer.int16(), answer.compact_string())
    found = [partition for partitions in answer.compact_array(topic) for partition in partitions]
    if not found or found[0].leader < 0:
        raise WireError("the quorum has no leader")
    return found[0]


def parse_removal(answer: Reader) -> None:
    """Of a RemoveRaftVoter response of version 0. Raises WireError where it holds an error."""
    answer.tags()  # of the header
    answer.int32()  # throttle time
    refuse("the quorum", answer.int16(), answer.compact_string())


def refuse(who: str, code: int, message: str) -> None:
    """Raises WireError where an answer of `who` holds an error."""
    if code:
        raise WireError(f"{who} answers with error {code} ({message or 'see the protocol guide'})")


def array_of(items: Iterable[bytes]) -> bytes:
    """ARRAY."""
    parts = list(items)
    return struct.pack(">i", len(parts)) + b"".join(parts)


def string_of(text: str) -> bytes:
    """STRING."""
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def compact_of(data: bytes) -> bytes:
    """COMPACT_STRING."""
    return bytes([len(data) + 1]) + data  # of less than 127 bytes
