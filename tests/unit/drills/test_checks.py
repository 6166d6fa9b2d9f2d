"""The checks can fail: each finds what it is meant for, in histories that are broken on purpose."""

import pytest

from drills.checks import CATALOGUE, Check, Expectation, expectation, judge, overall
from drills.checks.check import unknown
from drills.history import Record
from drills.model import (
    Acknowledged,
    Consumed,
    Event,
    EvictionAnswer,
    Finding,
    Outcome,
    PartitionState,
    Phase,
    PodState,
    QuorumState,
    Read,
    ReadEnd,
    SendFailed,
)
from tests.unit.drills.made_up import BEGAN, EXPECTATIONS, about, drain_leader, drain_two, outcomes, record, state

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


def detail(name: str, events: list[Event]) -> str:
    """Of a check on its own."""
    (found,) = judge(record(events, (name,)))
    return f"{found.outcome.value}: {found.detail}"


def tiny(*reads: Read, ends: int | None = 3, acknowledged: int = 3) -> list[Event]:
    """Records 0 to 2 of one partition, acknowledged in time; read as given."""
    events: list[Event] = [Phase(at=0, name="load"), Phase(at=0.5, name="fault"), state(0, 1, (0, 1, 2), 0)]
    events += [Acknowledged(at=1 + value, partition=0, offset=value, value=value) for value in range(acknowledged)]
    events += [Phase(at=8, name="audit"), *reads]
    events += [] if ends is None else [ReadEnd(at=9.5, partition=0, end=ends)]
    return [*events, Phase(at=10, name="end")]


def broken_off(events: list[Event]) -> list[Event]:
    """The same, but the drill did not come to its end."""
    return [event for event in events if not (isinstance(event, Phase) and event.name == "end")]


def read(offset: int, value: int | None = None) -> Read:
    return Read(at=9, partition=0, offset=offset, value=offset if value is None else value)


ALL = (read(0), read(1), read(2))


def test_a_correct_drill_passes_every_check() -> None:
    assert outcomes(drain_leader()) == dict.fromkeys((name.partition("=")[0] for name in EXPECTATIONS), PASS)


@pytest.mark.parametrize(
    ("name", "events", "told"),
    [
        ("no-loss", tiny(*ALL), "pass: all 3 acknowledged records read back at their partition and offset"),
        ("no-loss", tiny(read(0), read(2)), "fail: 1 of 3 lost: record 1 at partition 0 offset 1: nothing is there"),
        ("no-loss", tiny(read(0), ends=1), "fail: 2 of 3 lost: record 1 at partition 0 offset 1: the log ends at 1; "
         "record 2 at partition 0 offset 2: the log ends at 1"),
        ("no-loss", tiny(read(0), read(1, 7), read(2)), "fail: 1 of 3 lost: record 1 at partition 0 offset 1: "
         "record 7 is there"),
        ("no-loss", tiny(*ALL, ends=None), "unknown: the final read did not reach the end of partition 0"),
        ("no-loss", tiny(read(0), read(1, 7), ends=None), "fail: 1 of 3 lost: record 1 at partition 0 offset 1: "
         "record 7 is there"),
        ("no-loss", tiny(*ALL, read(4), ends=5), "unknown: the final read left out 1 offsets that nobody was "
         "acknowledged"),
        ("no-loss", tiny(acknowledged=0, ends=0), "unknown: nothing was acknowledged"),
        ("no-false-acknowledgement", tiny(*ALL), "pass: 3 acknowledgements, none under the minimum ISR or at another's "
         "offset"),
        ("no-false-acknowledgement", tiny(read(0), read(1, 7), read(2)), "fail: 1 false: record 1 was acknowledged at "
         "partition 0 offset 1, which holds record 7"),
        ("no-false-acknowledgement", [*tiny(*ALL), Acknowledged(at=5, partition=0, offset=1, value=9)],
         "fail: 1 false: record 9 was acknowledged at partition 0 offset 1, which record 1 had been acknowledged"),
        ("no-false-acknowledgement", [*tiny(*ALL), read(1, 9)], "fail: 1 false: record 1 was acknowledged at "
         "partition 0 offset 1, which was read with different values"),
        ("no-false-acknowledgement", [*tiny(*ALL), state(0, 1, (1,), 0.9)], "fail: 2 false: record 1 was acknowledged "
         "at partition 0 offset 1, 1.1 s after the ISR fell under its minimum; record 2 was acknowledged at partition "
         "0 offset 2, 2.1 s after the ISR fell under its minimum"),
        ("no-false-acknowledgement", [event for event in tiny(*ALL) if not isinstance(event, PartitionState)],
         "unknown: the ISR of partition 0 was not recorded"),
        ("order-kept", tiny(*ALL), "pass: 3 records, each after those that were sent before it to its partition"),
        ("order-kept", tiny(read(0), read(1, 2), read(2, 1)), "fail: 1 out of order: record 1 at partition 0 offset 2 "
         "follows record 2"),
        ("order-kept", tiny(*ALL, read(3, 0), ends=4), "pass: 4 records, each after those that were sent before it to "
         "its partition"),
        ("order-kept", tiny(*ALL, ends=None), "unknown: the final read did not reach the end of partition 0"),
        ("no-duplicates", tiny(*ALL), "pass: every record is in the log once"),
        ("no-duplicates", tiny(*ALL, read(3, 0), ends=4), "fail: 1 more than once: record 0 at partition 0 offset 0 "
         "and partition 0 offset 3"),
        ("consumer-goes-on", tiny(*ALL), "unknown: nothing was recorded of the reading group"),
        ("consumer-goes-on", [*tiny(*ALL), Consumed(at=5, partition=0, first=0, last=1)],
         "fail: the group stopped at partition 0 offset 2 of 3"),
        ("consumer-goes-on", [*tiny(*ALL), Consumed(at=5, partition=0, first=0, last=0),
                              Consumed(at=6, partition=0, first=2, last=2)],
         "fail: the group left out partition 0 offset 1 to 1"),
        ("no-client-errors", [*tiny(*ALL), SendFailed(at=2, value=5, error="TimeoutException")],
         "fail: 1 sends failed: 1 TimeoutException"),
        ("no-client-errors", tiny(acknowledged=0), "unknown: nothing was acknowledged, so that the producer may never "
         "have run"),
        ("longest-gap=5", tiny(*ALL), "pass: 5.00 s in partition 0; nothing more was acknowledged there"),
        ("longest-gap=4.9", tiny(*ALL), "fail: 5.00 s in partition 0; nothing more was acknowledged there"),
        ("longest-gap=5", tiny(acknowledged=0), "unknown: nothing was acknowledged"),
        ("min-isr-kept", [*tiny(*ALL), state(0, 1, (1,), 2), state(0, 1, (1, 2), 2.3)],
         "fail: under the minimum ISR: partition 0 for 300 ms, from +1.50 s"),
        ("isr-whole-again", [*tiny(*ALL), state(0, 1, (1, 2), 2)],
         "fail: in the end partition 0 has [1, 2] of [0, 1, 2] in sync"),
        ("isr-whole-again", broken_off([*tiny(*ALL), state(0, 1, (1, 2), 2)]),
         "unknown: when the drill was broken off partition 0 has [1, 2] of [0, 1, 2] in sync"),
        ("isr-whole-again=1", [*tiny(*ALL), state(0, 1, (1, 2), 2), state(0, 1, (0, 1, 2), 4)],
         "fail: whole again after 3.50 s"),
        ("leader-moved", tiny(*ALL), "fail: every leader stayed"),
        ("leader-moved", [*tiny(*ALL), state(0, None, (1, 2), 0.6), state(0, 2, (2,), 0.75)],
         "pass: partition 0 from 1 to 2 in 250 ms"),
        ("quorum-kept=2", [*tiny(*ALL), QuorumState(at=0, leader=0, voters=(0, 1, 2)),
                           QuorumState(at=2, leader=None, voters=(0, 1, 2)),
                           QuorumState(at=4.5, leader=1, voters=(0, 1, 2))],
         "fail: 3 voters, 1 leads; without a leader at most 2.50 s"),
        ("quorum-kept=2", [*tiny(*ALL), QuorumState(at=0, leader=0, voters=(0, 1, 2)),
                           QuorumState(at=4.5, leader=0, voters=(0,))],
         "fail: at +4.00 s 1 of 3 voters were left"),
        ("quorum-kept=2", [*tiny(*ALL), QuorumState(at=0, leader=0, voters=(0, 1, 2)),
                           QuorumState(at=9.9, leader=None, voters=())],
         "fail: in the end no leader, from +9.40 s"),
    ],
)  # fmt: skip
def test_a_tiny_history(name: str, events: list[Event], told: str) -> None:
    assert detail(name, events) == told


def test_an_acknowledgement_just_after_the_isr_shrank_is_no_proof() -> None:
    """The look at the ISR and the acknowledgement's way to the producer both take their time."""
    events = [*tiny(*ALL), state(0, 1, (1,), 1.7), state(0, 1, (0, 1, 2), 2.6)]
    assert detail("no-false-acknowledgement", events).startswith("pass")


class TestRefusedWrites:
    EXPECTED = ("writes-refused", "no-false-acknowledgement", "no-loss")

    def test_they_are_refused_and_nothing_is_acknowledged(self) -> None:
        assert set(outcomes(drain_two(), self.EXPECTED).values()) == {PASS}

    def test_one_that_is_acknowledged_all_the_same_is_found(self) -> None:
        wrong = Acknowledged(at=BEGAN + 7, partition=0, offset=10**6, value=10**7)
        assert outcomes([*drain_two(), wrong], self.EXPECTED) == dict.fromkeys(self.EXPECTED, FAIL)

    @pytest.mark.parametrize(
        ("left_out", "because"),
        [
            (SendFailed, "partitions 0, 1, 2 under the minimum ISR, but the producer told of no error"),
            (PartitionState, "no partition was seen under its minimum ISR"),
            (ReadEnd, "the final read did not reach the end of partitions 0, 1, 2"),
            (Acknowledged, "nothing was acknowledged"),
        ],
    )
    def test_without_evidence_it_is_unknown(self, left_out: type[Event], because: str) -> None:
        events = [event for event in drain_two() if not isinstance(event, left_out)]
        assert detail("writes-refused", events).startswith(f"unknown: {because}")


class TestSecondEviction:
    def test_it_may_be_granted_when_the_first_pod_is_back(self) -> None:
        events = [*drain_leader(), EvictionAnswer(at=BEGAN + 15, pod="kafka-2", granted=True)]
        assert outcomes(events)["second-eviction-refused"] is PASS

    def test_it_may_not_while_the_first_is_away(self) -> None:
        events = [*drain_leader(), EvictionAnswer(at=BEGAN + 9, pod="kafka-2", granted=True)]
        told = "fail: the eviction of kafka-2 was granted at +5.00 s while kafka-1 was away"
        assert detail("second-eviction-refused", events) == told

    def test_other_pods_of_the_node_do_not_count(self) -> None:
        events = [*drain_leader(), EvictionAnswer(at=BEGAN + 4.6, pod="coredns-7b9", granted=True)]
        assert outcomes(events)["second-eviction-refused"] is PASS

    def test_the_same_pod_asked_again_is_no_second_one(self) -> None:
        again = [
            EvictionAnswer(at=BEGAN + at, pod="kafka-1", granted=granted) for at, granted in ((5, True), (6, False))
        ]
        events = [event for event in drain_leader() if not isinstance(event, EvictionAnswer) or event.granted]
        assert outcomes([*events, *again])["second-eviction-refused"] is UNKNOWN


class TestUnknown:
    def test_nothing_recorded_passes_nothing(self) -> None:
        found = judge(Record(about([expected(name) for name in CATALOGUE]), []))
        assert {one.outcome for one in found} == {UNKNOWN}
        assert len(found) == len(CATALOGUE)

    @pytest.mark.parametrize(
        ("missing", "checks"),
        [
            (ReadEnd, {"no-loss", "no-false-acknowledgement", "order-kept", "no-duplicates", "consumer-goes-on"}),
            (Consumed, {"consumer-goes-on"}),
            (QuorumState, {"quorum-kept"}),
            (EvictionAnswer, {"second-eviction-refused"}),
            (PodState, {"second-eviction-refused"}),
            (PartitionState, {"no-false-acknowledgement", "min-isr-kept", "leader-moved", "isr-whole-again"}),
        ],
    )
    def test_what_is_not_recorded_is_unknown(self, missing: type[Event], checks: set[str]) -> None:
        found = outcomes([event for event in drain_leader() if not isinstance(event, missing)])
        assert {name for name, outcome in found.items() if outcome is UNKNOWN} == checks
        assert FAIL not in found.values()

    def test_a_drill_that_was_broken_off_passes_nothing(self) -> None:
        events = broken_off(drain_leader())
        assert set(outcomes(events).values()) == {UNKNOWN}

    def test_a_drill_that_was_broken_off_fails_all_the_same(self) -> None:
        events = broken_off(drain_leader())
        error = SendFailed(at=BEGAN + 5, value=10**6, error="TimeoutException")
        assert outcomes([*events, error])["no-client-errors"] is FAIL

    def test_a_check_that_crashes_is_unknown(self) -> None:
        def crash(_: Record, __: float | None) -> object:
            raise ZeroDivisionError("by zero")

        broken = Expectation(Check("broken", "it works", crash), None)  # type: ignore[arg-type]
        assert broken.judge(record(drain_leader())) == unknown("the check itself failed: ZeroDivisionError: by zero")


def expected(name: str) -> str:
    """As a drill would ask for it."""
    return f"{name}=1" if CATALOGUE[name].needs_limit else name


class TestCatalogue:
    @pytest.mark.parametrize("check", CATALOGUE.values(), ids=lambda check: check.name)
    def test_it_says_what_must_hold(self, check: Check) -> None:
        said = expectation(expected(check.name)).statement
        assert said
        assert not said.endswith(".")
        assert ("1 s" in said) == check.needs_limit

    def test_a_limit_is_part_of_what_must_hold(self) -> None:
        said = expectation("longest-gap=0.3").statement
        assert said == "no partition waits longer than 0.3 s for an acknowledgement"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("no-gap", "no-gap: there is no check no-gap; there are consumer-goes-on, "),
            ("longest-gap", "longest-gap: needs a limit in seconds, such as longest-gap=0.5"),
            ("longest-gap=", "longest-gap=: nothing is no limit; a number of seconds above 0 is allowed, such as 0.5"),
            ("longest-gap=soon", "longest-gap=soon: soon is no limit; a number"),
            ("longest-gap=-1", "longest-gap=-1: -1 is no limit; a number"),
            ("longest-gap=nan", "longest-gap=nan: nan is no limit; a number"),
            ("longest-gap=inf", "longest-gap=inf: inf is no limit; a number"),
            ("no-loss=1", "no-loss=1: no-loss takes no limit; write no-loss"),
        ],
    )
    def test_what_does_not_exist_is_refused(self, text: str, told: str) -> None:
        with pytest.raises(ValueError, match="^" + told.replace("(", r"\(")):
            expectation(text)

    def test_what_does_not_exist_is_unknown_in_a_record(self) -> None:
        (found,) = judge(record(drain_leader(), ("of-another-version",)))
        assert (found.outcome, found.expectation) == (UNKNOWN, "of-another-version")


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        ([PASS, PASS], PASS),
        ([PASS, UNKNOWN], UNKNOWN),
        ([UNKNOWN, FAIL, PASS], FAIL),
        ([PASS, Outcome.NOT_APPLICABLE], PASS),
        ([Outcome.NOT_APPLICABLE], Outcome.NOT_APPLICABLE),
        ([], UNKNOWN),
    ],
)
def test_the_whole_drill(outcomes: list[Outcome], whole: Outcome) -> None:
    assert overall(Finding(check="it", outcome=one, detail="") for one in outcomes) is whole
