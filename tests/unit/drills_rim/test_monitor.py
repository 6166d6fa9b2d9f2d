"""What the monitor makes of brokers' answers that are not equally up to date."""

import struct
from typing import Any

import pytest

from components.checker.wire import Quorum, Replica, read, string_of
from drills.pods import monitor
from drills.pods.monitor import Monitor, Partition


def partition(leader: int | None = 0, epoch: int = 1, isr: tuple[int, ...] = (0, 1, 2), number: int = 0) -> Partition:
    return Partition(number, leader, epoch, (0, 1, 2), isr)


def answer(*partitions: tuple[int, int, int, tuple[int, ...]]) -> bytes:
    """A Metadata response of version 7 (Kafka protocol guide): number, leader, epoch and ISR of each partition."""

    def int32s(*numbers: int) -> bytes:
        return struct.pack(f">i{len(numbers)}i", len(numbers), *numbers)

    broker = struct.pack(">i", 0) + string_of("host") + struct.pack(">i", 9092) + struct.pack(">h", -1)
    body = b"".join(
        struct.pack(">hiii", 0, number, leader, epoch) + int32s(0, 1, 2) + int32s(*isr) + int32s()
        for number, leader, epoch, isr in partitions
    )
    topic = struct.pack(">h", 0) + string_of("t") + b"\0" + struct.pack(">i", len(partitions)) + body
    return (
        struct.pack(">i", 0)
        + struct.pack(">i", 1)
        + broker
        + string_of("cluster")
        + struct.pack(">i", 0)
        + struct.pack(">i", 1)
        + topic
    )


def test_an_answer_is_read() -> None:
    found = read(monitor.parse_topic, answer((0, 2, 7, (2, 0)), (1, -1, 3, ())))
    assert found == (Partition(0, 2, 7, (0, 1, 2), (0, 2)), Partition(1, None, 3, (0, 1, 2), ()))


def test_a_request_asks_for_the_topic_alone_and_creates_none() -> None:
    assert monitor.request("t") == b"\0\0\0\1" + b"\0\1t" + b"\0"


NEW, OLD = partition(1, 2, (1, 2)), partition(0, 1)
SHRUNK = partition(0, 1, (0, 1))


@pytest.mark.parametrize(
    ("told", "known", "expected"),
    [
        pytest.param([OLD, OLD, NEW], OLD, NEW, id="a later epoch is right against a majority"),
        pytest.param([SHRUNK, SHRUNK, OLD], OLD, SHRUNK, id="most are right in the same epoch"),
        pytest.param([SHRUNK, OLD], OLD, OLD, id="a tie changes nothing"),
        pytest.param([SHRUNK, OLD], SHRUNK, SHRUNK, id="nor does it change back"),
        pytest.param([], NEW, NEW, id="nobody answers"),
    ],
)
def test_answers_are_merged(told: list[Partition], known: Partition, expected: Partition) -> None:
    assert monitor.merged([[one] for one in told], {0: known}) == {0: expected}


def quorum(leader: int, epoch: int, *voters: int) -> Quorum:
    return Quorum(leader, epoch, tuple(Replica(voter, "dir", 0) for voter in voters))


def test_the_quorum_of_the_latest_epoch_counts() -> None:
    assert monitor.latest([quorum(0, 3, 2, 1, 0), quorum(1, 4, 0, 1, 2)]) == (1, (0, 1, 2))
    assert monitor.latest([]) == (None, ())


def watched() -> tuple[Monitor, list[dict[str, Any]]]:
    said: list[dict[str, Any]] = []
    found = Monitor("t", ["a:1", "b:1"], lambda line: said.append(line) if "alive" not in line else None)
    found._min_isr = 2
    return found, said


def test_only_changes_are_said() -> None:
    found, said = watched()
    found.partitions = {0: (10.0, (OLD,)), 1: (10.0, (OLD,))}
    found.quorums = {0: (10.0, quorum(0, 1, 0, 1, 2))}
    found.look(10.1)
    found.look(10.2)
    found.partitions[1] = 10.3, (NEW,)
    found.look(10.3)
    assert said == [
        {"at": 10.1, "partition": 0, "leader": 0, "replicas": (0, 1, 2), "isr": (0, 1, 2), "min_isr": 2},
        {"at": 10.1, "quorum": 0, "voters": (0, 1, 2)},
        {"at": 10.3, "partition": 0, "leader": 1, "replicas": (0, 1, 2), "isr": (1, 2), "min_isr": 2},
    ]


def test_a_broker_that_no_longer_answers_contradicts_nobody() -> None:
    found, said = watched()
    found.partitions = {0: (10.0, (OLD,)), 1: (10.0, (OLD,))}
    found.look(10.0)
    found.partitions[1] = 12.0, (SHRUNK,)
    found.look(12.0)
    assert said[-1]["isr"] == (0, 1)


def test_no_answer_of_the_quorum_for_a_while_is_no_leader() -> None:
    found, said = watched()
    found.quorums = {0: (10.0, quorum(0, 1, 0, 1, 2))}
    found.look(10.0)
    found.look(10.5)
    found.look(11.5)
    assert [line["quorum"] for line in said] == [0, None]
