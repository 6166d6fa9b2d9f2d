"""The figures of a drill, on histories whose figures are known."""

import time

import pytest

from drills.figures import counts, figures
from drills.gaps import Gap
from drills.model import (
    Acknowledged,
    Consumed,
    Event,
    Phase,
    QuorumState,
    Read,
    ReadEnd,
    SendFailed,
)
from tests.unit.drills.made_up import BEGAN, Plan, drain_leader, record, state


def near(value: float) -> object:
    return pytest.approx(value, abs=0.02)


def acknowledged(partition: int, *times: float) -> list[Event]:
    return [Acknowledged(at=at, partition=partition, offset=number, value=0) for number, at in enumerate(times)]


def phases(**at: float) -> list[Event]:
    return [Phase.model_validate({"name": name.rstrip("_0123456789"), "at": when}) for name, when in at.items()]


def test_those_of_a_drain() -> None:
    found = figures(record(drain_leader(Plan(rate=200))))
    assert found.seconds == near(20)
    assert found.acknowledged == 3600
    assert found.rate == pytest.approx(200, rel=0.01)
    assert (found.lost, found.duplicates, found.errors, found.consumer_behind) == (0, 0, {}, 0)
    assert found.longest_gap is not None
    assert (found.longest_gap.partition, found.longest_gap.seconds) == (0, near(0.42))
    assert found.longest_gap.begin - BEGAN == near(4.05)
    assert found.longest_gap.fault_share == pytest.approx(0.42 / 6, abs=0.005)
    assert found.silence is not None
    assert found.silence.seconds < 0.02
    assert found.gap_before == near(3 / 200)
    assert (found.new_leader, found.whole_isr, found.fewest_in_sync) == (near(0.2), near(4), 2)
    assert found.leaderless == near(0.6)
    assert (found.evictions_granted, found.evictions_refused) == (1, 1)
    assert [one.new_leader for one in found.partitions] == [near(0.2), None, None]
    assert sum(found.throughput.acknowledged) == 3599  # the last one came after the load was told to stop
    assert len(found.throughput.acknowledged) == 180


def test_nothing_recorded_has_no_figures() -> None:
    found = figures(record([]))
    assert (found.acknowledged, found.lost, found.longest_gap, found.whole_isr, found.leaderless) == (0, None) + (
        None,
    ) * 3


class TestGaps:
    @pytest.mark.parametrize(
        ("events", "longest"),
        [
            pytest.param(acknowledged(0, 1, 4, 5, 6, 8.5, 9), (6, 8.5), id="inside"),
            pytest.param(acknowledged(0, 1, 4, 8), (4, 8), id="it begins before the fault"),
            pytest.param(acknowledged(0, 1, 4, 6), (6, 10), id="nothing more comes"),
            pytest.param(acknowledged(0, 1, 4, 6, 10.5, 11), (6, 10), id="after the load nothing counts"),
            pytest.param(acknowledged(0, 1, 4.5, 5, 6, 7, 8.5, 9), (7, 8.5), id="before the fault nothing counts"),
        ],
    )
    def test_of_one_partition(self, events: list[Event], longest: tuple[float, float]) -> None:
        found = figures(record([*phases(load=0, fault=5, heal=7, audit=10, end=12), *events])).longest_gap
        assert found is not None
        assert (found.begin, found.end) == longest

    def test_a_partition_that_never_answers_waits_from_the_fault_on(self) -> None:
        events = [*phases(load=0, fault=5, audit=10, end=12), *acknowledged(1, *range(11))]
        found = figures(record(events))
        assert found.longest_gap == Gap(partition=0, begin=5, end=10, fault_share=1)
        assert found.silence is not None
        assert found.silence.seconds == 1

    def test_the_fault_share_is_that_of_its_round(self) -> None:
        times = phases(load=0, fault=1, heal=3, fault_2=5, heal_2=9, audit=10, end=10)
        found = figures(record([*times, *acknowledged(0, 0.5, 1, 2, 3, 4, 5, 8, 9, 9.5)])).longest_gap
        assert found == Gap(partition=0, begin=5, end=8, fault_share=0.75)


class TestRounds:
    PHASES = phases(load=0, fault=1, heal=2, fault_2=10, heal_2=12, audit=20, end=21)

    def test_the_worst_round_counts(self) -> None:
        states = [state(0, 1, (0, 1, 2), 0), state(0, 2, (0, 2), 1.5), state(0, 2, (0, 1, 2), 5)]
        states += [state(0, 0, (0, 1), 10.9), state(0, 0, (0, 1, 2), 12.5)]
        found = figures(record([*self.PHASES, *states]))
        assert found.new_leader == near(0.9)
        assert found.whole_isr == near(3)

    def test_a_round_that_never_gets_whole_has_no_time(self) -> None:
        states = [state(0, 1, (0, 1, 2), 0), state(0, 1, (0, 1), 1.5), state(0, 1, (0, 1, 2), 10.5)]
        assert figures(record([*self.PHASES, *states])).whole_isr is None

    def test_one_that_was_whole_all_the_time_takes_none(self) -> None:
        assert figures(record([*self.PHASES, state(0, 1, (0, 1, 2), 0)])).whole_isr == 0

    def test_the_preferred_leader_taking_the_lead_back_is_no_failover(self) -> None:
        states = [state(0, 0, (0, 1, 2), 0), state(0, 1, (0, 1, 2), 2.5)]
        assert figures(record([*self.PHASES, *states])).new_leader is None


def test_the_final_read() -> None:
    events = [*acknowledged(0, 1, 2, 3), Phase(at=4, name="audit")]
    events += [Read(at=5, partition=0, offset=offset, value=0) for offset in (0, 1)]
    assert figures(record(events)).lost is None
    wrong = Read(at=5, partition=0, offset=2, value=7)
    assert figures(record([*events, wrong])).lost == 1
    found = figures(record([*events, ReadEnd(at=6, partition=0, end=2)]))
    assert (found.lost, found.duplicates, found.partitions[0].end) == (1, 1, 2)


def test_errors_by_kind() -> None:
    kinds = ("TimeoutException", "NotEnoughReplicasException", "TimeoutException")
    found = figures(record([SendFailed(at=1, value=1, error=kind) for kind in kinds]))
    assert list(found.errors.items()) == [("TimeoutException", 2), ("NotEnoughReplicasException", 1)]


def test_the_reading_group() -> None:
    events = [*phases(load=0, audit=10, end=12), *acknowledged(0, *range(10)), ReadEnd(at=11, partition=0, end=10)]
    events += [Consumed(at=at, partition=0, first=first, last=first) for at, first in ((1, 0), (2, 1), (7, 2))]
    found = figures(record(events))
    assert (found.consumer_stall, found.consumer_behind) == (5, 7)


def test_a_quorum_without_a_leader_to_the_end() -> None:
    states = [QuorumState(at=at, leader=None, voters=()) for at in (2, 3)]
    assert figures(record([*phases(load=0, end=9), *states])).leaderless == 7


@pytest.mark.parametrize(
    ("times", "expected"),
    [([], [0, 0, 0, 0]), ([0, 0.99, 1, 3.5], [2, 1, 0, 1]), ([-0.1, 3.9, 4, 4.1], [0, 0, 0, 2])],
)
def test_buckets(times: list[float], expected: list[int]) -> None:
    assert counts(times, 0, 4, 1) == expected


def test_they_are_linear_in_the_events() -> None:
    """Four times the events take about four times as long, not sixteen."""

    def took(rate: int) -> float:
        made = record(drain_leader(Plan(rate=rate)))
        began = time.process_time()
        figures(made)
        return time.process_time() - began

    took(1000)
    assert took(4000) < 10 * took(1000)
