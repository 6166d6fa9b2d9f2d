"""Lines as Kafka 4.3's tools and the monitor write them."""

import json

import pytest

from drills import reading
from drills.model import Acknowledged, Consumed, Event, PartitionState, QuorumState, Read, SendFailed

SUCCESS = (
    '{"timestamp":1764097000123,"name":"producer_send_success","key":"4","value":"17","topic":"t","partition":2,'
    '"offset":5}'
)
ERROR = (
    '{"timestamp":1764097000123,"name":"producer_send_error","key":"4","value":"17","topic":"t",'
    '"exception":"class org.apache.kafka.common.errors.NotEnoughReplicasException","message":"Messages are rejected"}'
)
CONSUMED = (
    '{"timestamp":1764097000123,"name":"records_consumed","count":5,"partitions":['
    '{"topic":"t","partition":0,"count":2,"minOffset":3,"maxOffset":4},'
    '{"topic":"t","partition":2,"count":3,"minOffset":0,"maxOffset":2}]}'
)
DATA = '{"timestamp":1764097000123,"name":"record_data","key":"4","value":"17","topic":"t","partition":2,"offset":5}'
AT = 1764097000.123


def producer(text: str, offset: float = 0) -> list[Event]:
    return list(reading.producer_events(reading.line_of(text), offset))


def test_an_acknowledgement() -> None:
    assert producer(SUCCESS) == [Acknowledged(at=AT, partition=2, offset=5, value=17)]


def test_times_are_corrected() -> None:
    [event] = producer(SUCCESS, offset=100.0)
    assert event.at == pytest.approx(AT - 100)


def test_an_error_has_kafkas_name() -> None:
    assert producer(ERROR) == [SendFailed(at=AT, value=17, error="NotEnoughReplicasException")]


def test_what_was_never_sent_is_no_error() -> None:
    line = json.loads(ERROR) | {
        "exception": "class java.lang.IllegalStateException",
        "message": "Cannot perform operation after producer has been closed",
    }
    assert producer(json.dumps(line)) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Option --producer.config has been deprecated",
        '{"timestamp":1,"name":"startup_complete"}',
        '{"timestamp":1,"na',
        '{"timestamp":1,"name":"tool_data","sent":1,"acked":1,"target_throughput":1,"avg_throughput":1.0}',
        "[1]",
    ],
)
def test_other_lines_say_nothing(text: str) -> None:
    line = reading.line_of(text)
    for events in (
        reading.producer_events,
        reading.consumer_events,
        reading.reader_events,
        reading.monitor_events,
    ):
        assert list(events(line, 0)) == []


def test_what_the_group_got() -> None:
    assert list(reading.consumer_events(reading.line_of(CONSUMED), 0)) == [
        Consumed(at=AT, partition=0, first=3, last=4),
        Consumed(at=AT, partition=2, first=0, last=2),
    ]


def test_what_the_final_read_got() -> None:
    assert list(reading.reader_events(reading.line_of(DATA), 0)) == [Read(at=AT, partition=2, offset=5, value=17)]


def test_what_the_monitor_saw() -> None:
    state = {"partition": 1, "leader": None, "replicas": [0, 1], "isr": [], "min_isr": 2}
    assert list(reading.monitor_events({"at": 9.0, **state}, 1.0)) == [
        PartitionState(at=8.0, partition=1, leader=None, replicas=(0, 1), isr=(), min_isr=2)
    ]
    assert list(reading.monitor_events({"at": 9.0, "quorum": 2, "voters": [0, 1, 2]}, 0)) == [
        QuorumState(at=9.0, leader=2, voters=(0, 1, 2))
    ]
    assert list(reading.monitor_events({"at": 9.0, "alive": 3}, 0)) == []


def test_end_offsets_of_the_topic_alone() -> None:
    assert reading.end_offsets("t:0:12\nt:1:\nother:0:99\nt:x:2:5\n", "t") == {0: 12, 1: 0}
