import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.checker.wire import (
    METADATA,
    Connection,
    Metadata,
    Partition,
    Quorum,
    Replica,
    Silent,
    WireError,
    parse_metadata,
    parse_min_isrs,
    parse_quorum,
    read,
)
from tests.unit.checker import kafka
from tests.unit.checker.kafka import FakeKafka, closing, directory, running, sending, slowly

int32 = st.integers(0, 2**31 - 1)
names = st.text("abcXYZ-_.09é", min_size=1, max_size=40)
nodes = st.lists(int32, max_size=5).map(tuple)
voters = st.builds(Replica, int32, st.integers(0, 255).map(directory), st.integers(-1, 2**62))
# Kafka tells each partition below its topic.
partitions = st.lists(st.builds(Partition, names, int32, int32, nodes, nodes), max_size=6).map(
    lambda found: sorted(found, key=lambda partition: partition.topic)
)

# Answers of Kafka 4.3.1 to this package's questions, after the correlation id: one node, the topics payments, whose own
# minimum ISR is 3, and orders, and a question for a topic that there is not.
RECORDED_METADATA = bytes.fromhex(
    "00000000000000010000000000093132372e302e302e31000098b400067a6f6e652d610016414141414141414141414141414141"
    "414141414141410000000000000002000000087061796d656e747300000000020000000000000000000000000001000000000000"
    "00010000000000000000000000000001000000000000000100000000000000010000000000000000000000066f72646572730000"
    "00000300000000000000000000000000010000000000000001000000000000000000000000000100000000000000010000000000"
    "0000010000000000000000000000000002000000000000000100000000000000010000000000000000"
)
RECORDED_CONFIGS = bytes.fromhex(
    "000000000000000300030000020004676f6e6500000000000000000200066f72646572730000000100136d696e2e696e73796e63"
    "2e7265706c6963617300013100030000000000000000000200087061796d656e74730000000100136d696e2e696e73796e632e72"
    "65706c6963617300013300010000000000"
)
RECORDED_QUORUM = bytes.fromhex(
    "0000000102135f5f636c75737465725f6d6574616461746102000000000000010000000000000001000000000000005502000000"
    "00041041041041041041041041041041040000000000000055000001a20f954108000001a20f954108000100000200000000020b"
    "434f4e54524f4c4c45520a3132372e302e302e3198b5000000"
)


def test_what_a_kafka_4_3_1_answered() -> None:
    payments = [Partition("payments", number, 0, (0,), (0,)) for number in range(2)]
    orders = [Partition("orders", number, 0, (0,), (0,)) for number in range(3)]
    assert read(parse_metadata, RECORDED_METADATA) == Metadata(frozenset({0}), (*payments, *orders))
    assert read(parse_min_isrs, RECORDED_CONFIGS) == {"orders": 1, "payments": 3}
    told = read(parse_quorum, RECORDED_QUORUM)
    assert told == Quorum(0, 1, (Replica(0, "BBBBBBBBBBBBBBBBBBBBBA", 1795557769480),))
    assert told.now == 1795557769480


@given(st.lists(int32, max_size=5), partitions)
def test_metadata_is_read(brokers: list[int], told: list[Partition]) -> None:
    assert read(parse_metadata, kafka.metadata(brokers, told)) == Metadata(frozenset(brokers), tuple(told))


@given(st.dictionaries(names, st.none() | st.integers(1, 9).map(str)))
def test_minimum_isrs_are_read(told: dict[str, str | None]) -> None:
    expected = {topic: int(value) for topic, value in told.items() if value is not None}
    assert read(parse_min_isrs, kafka.configs(told)) == expected


@given(int32, st.lists(voters, max_size=9))
def test_the_quorum_is_read(leader: int, told: list[Replica]) -> None:
    assert read(parse_quorum, kafka.quorum(leader, told)) == Quorum(leader, 4, tuple(told))


def test_a_length_of_two_bytes_is_read() -> None:
    told = tuple(Replica(node, directory(node), node) for node in range(200))
    assert read(parse_quorum, kafka.quorum(0, told)).voters == told


@pytest.mark.parametrize(
    ("parse", "answer", "unread"),
    [
        (parse_metadata, RECORDED_METADATA, 0),
        (parse_metadata, kafka.metadata([1, 2], [Partition("t", 0, 1, (1, 2), (1,))]), 0),
        (parse_min_isrs, RECORDED_CONFIGS, 0),
        (parse_min_isrs, kafka.configs({"a": "2", "gone": None, "b": "1"}), 0),
        # The last are the nodes' addresses, of which nothing is wanted.
        (parse_quorum, RECORDED_QUORUM, 32),
        (parse_quorum, kafka.quorum(1, [Replica(1, directory(1), 5), Replica(2, directory(2), 4)]), 27),
    ],
)
def test_an_answer_cut_short_anywhere_is_a_wire_error(parse: Callable[..., Any], answer: bytes, unread: int) -> None:
    for length in range(len(answer) - unread):
        with pytest.raises(WireError):
            read(parse, answer[:length])
    assert read(parse, answer[: len(answer) - unread]) == read(parse, answer)


@pytest.mark.parametrize("parse", [parse_metadata, parse_min_isrs, parse_quorum])
@given(data=st.data())
def test_any_bytes_are_a_value_or_a_wire_error(parse: Callable[..., Any], data: st.DataObject) -> None:
    answer = data.draw(st.binary(max_size=200))
    if data.draw(st.booleans()):  # one that is nearly right
        answer = data.draw(st.sampled_from([RECORDED_METADATA, RECORDED_CONFIGS, RECORDED_QUORUM]))
        place, length = data.draw(st.integers(0, len(answer))), data.draw(st.integers(0, 8))
        answer = answer[:place] + data.draw(st.binary(max_size=8)) + answer[place + length :]
    with contextlib.suppress(WireError):
        read(parse, answer)


HUGE = struct.pack(">i", 2**31 - 1)


@pytest.mark.parametrize(
    ("parse", "answer"),
    [
        (parse_metadata, bytes(4) + HUGE),  # brokers
        (parse_metadata, bytes(14) + struct.pack(">ih", 1, 0) + kafka.text("t") + b"\0" + HUGE),  # partitions
        (parse_metadata, bytes(14) + struct.pack(">ihh", 1, 0, 2**15 - 1)),  # a topic's name
        (parse_metadata, kafka.metadata([], [Partition("t", 0, 1, (), ())])[:-12] + HUGE * 3),  # replicas
        (parse_min_isrs, bytes(4) + HUGE),
        (parse_quorum, bytes(4) + b"\xff\xff\xff\xff\x0f"),  # topics: all that 32 bits hold
        (parse_quorum, b"\xff" * 20),  # a number that does not end
    ],
)
def test_lengths_that_can_not_be(parse: Callable[..., Any], answer: bytes) -> None:
    with pytest.raises(WireError):
        read(parse, answer)


def test_negative_lengths_are_null() -> None:
    null = struct.pack(">i", -1)
    assert read(parse_metadata, bytes(4) + null + struct.pack(">hi", -1, 0) + null) == Metadata(frozenset(), ())
    assert read(parse_min_isrs, bytes(4) + struct.pack(">i", -(2**31))) == {}


@pytest.mark.parametrize(
    ("parse", "answer", "words"),
    [
        (parse_metadata, kafka.metadata([1], [Partition("t", 0, 1, (1,), (1,))], 29), "topic t has error 29"),
        (parse_min_isrs, kafka.configs({"t": "two"}), "'two'"),
        (parse_quorum, kafka.quorum(1, [], error=41), "error 41"),
        (parse_quorum, kafka.quorum(1, [], topic_error=6), "error 6"),
        (parse_quorum, kafka.quorum(-1, []), "no leader"),
    ],
)
def test_errors_are_told(parse: Callable[..., Any], answer: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read(parse, answer)


SEEN = Metadata(frozenset({1, 2}), (Partition("t", 0, 1, (1, 2), (1,)),))


@pytest.fixture
def server() -> Iterator[FakeKafka]:
    with running(FakeKafka()) as server:
        server.is_told(SEEN.brokers, SEEN.partitions)  # type: ignore[arg-type]
        yield server


def connection(server: FakeKafka, timeout: float = 5.0) -> Connection:
    return Connection("127.0.0.1", server.port, timeout)


def test_a_connection_is_kept(server: FakeKafka) -> None:
    client = connection(server)
    first = client.metadata()
    assert (first, client.metadata()) == (SEEN, SEEN)
    assert client.metadata() is first  # the same bytes are not read again
    server.is_told([1], SEEN.partitions)
    assert client.metadata().brokers == {1}
    assert server.connections == 1


def test_each_question_is_asked_as_kafka_wants_it(server: FakeKafka) -> None:
    server.is_told([1], [], {"a": "2", "gone": None}, [Replica(1, directory(1), 5)], leader=1)
    client = connection(server)
    assert client.min_isrs(["a", "gone"]) == {"a": 2}
    assert client.quorum().voters == (Replica(1, directory(1), 5),)
    assert server.asked == [32, 55]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (closing, "the connection was closed"),
        (sending(b"\0\0"), "timed out"),
        (sending(struct.pack(">ii", 8, 999) + b"\0\0\0\0"), "no Kafka"),  # the answer to another question
        (sending(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no Kafka"),
        (sending(struct.pack(">ii", -1, 1)), "no Kafka"),
        (slowly(kafka.metadata([1, 2], []), 10, 2.0), "timed out"),  # each part in time, all of it not
    ],
)
def test_after_trouble_it_connects_again(server: FakeKafka, behaviour: kafka.Behaviour, words: str) -> None:
    client = connection(server, 0.3)
    server.behave = [behaviour]
    begun = time.monotonic()
    with pytest.raises(Silent, match=f"127.0.0.1:{server.port} does not answer .*{words}"):
        client.metadata()
    assert time.monotonic() - begun < 1
    assert (client.metadata(), server.connections) == (SEEN, 2)


def test_slow_answers_in_time_are_taken(server: FakeKafka) -> None:
    server.behave = [slowly(server.answers[METADATA], 10, 0.3)]
    assert connection(server).metadata() == SEEN


def test_large_answers(server: FakeKafka) -> None:
    told = tuple(
        Partition(f"topic-{topic}", number, 0, (0, 1, 2), (0, 1, 2)) for topic in range(40) for number in range(100)
    )
    server.is_told([0, 1, 2], told)
    assert len(server.answers[METADATA]) > 2 * 65536
    assert connection(server).metadata().partitions == told


def test_a_broker_that_starts_again_is_asked_again() -> None:
    server = FakeKafka()
    server.is_told([1], [])
    with running(server):
        client = connection(server)
        assert client.metadata().brokers == {1}
    with pytest.raises(Silent):
        client.metadata()
    with pytest.raises(Silent, match="refused"):
        client.metadata()
    with running(server):
        assert client.metadata().brokers == {1}
