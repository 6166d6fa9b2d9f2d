"""A random correct history passes every check; broken in one way, exactly the checks that are meant for it fail."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drills.model import (
    Acknowledged,
    Consumed,
    Event,
    EvictionAnswer,
    Outcome,
    PartitionState,
    Phase,
    QuorumState,
    Read,
    ReadEnd,
    SendFailed,
)
from tests.unit.drills.made_up import BEGAN, Plan, drain_leader, outcomes, state

PLANS = st.builds(
    Plan,
    partitions=st.integers(1, 4),
    rate=st.integers(10, 30),
    fault=st.floats(3, 5),
    heal=st.floats(7, 9),
    audit=st.floats(14, 20),
    gap=st.floats(0, 0.4),
    seed=st.integers(0, 100),
)
Pick = Callable[[Sequence[Any]], Any]
"""One of them, by chance."""


def of(events: list[Event], kind: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def at(events: list[Event], name: str) -> float:
    return next(event.at for event in events if isinstance(event, Phase) and event.name == name)


def without(events: list[Event], *left_out: Event) -> list[Event]:
    gone = set(map(id, left_out))
    return [event for event in events if id(event) not in gone]


def lose(events: list[Event], pick: Pick) -> list[Event]:
    return without(events, pick(of(events, Read)))


def cut_the_log(events: list[Event], pick: Pick) -> list[Event]:
    """As an unclean election does: what the new leader did not have is gone."""
    end = pick(of(events, ReadEnd))
    gone = [read for read in of(events, Read) if read.partition == end.partition and read.offset == end.end - 1]
    return [*without(events, end, *gone), end.model_copy(update={"end": end.end - 1})]


def swap(events: list[Event], pick: Pick) -> list[Event]:
    first = pick([read for read in of(events, Read) if read.offset])
    second = next(
        read for read in of(events, Read) if (read.partition, read.offset) == (first.partition, first.offset - 1)
    )
    swapped = [first.model_copy(update={"value": second.value}), second.model_copy(update={"value": first.value})]
    return [*without(events, first, second), *swapped]


def overwrite(events: list[Event], pick: Pick) -> list[Event]:
    """Two records were acknowledged at one offset: the later one stands there."""
    last = pick([max((one for one in of(events, Acknowledged) if one.partition == 0), key=lambda one: one.offset)])
    other = last.model_copy(update={"value": last.value + 10**6})
    read = next(read for read in of(events, Read) if (read.partition, read.offset) == (0, last.offset))
    return [*without(events, read), other, read.model_copy(update={"value": other.value})]


def double(events: list[Event], pick: Pick) -> list[Event]:
    end = pick(of(events, ReadEnd))
    value = pick([read.value for read in of(events, Read) if read.partition == end.partition])
    again = Read(at=end.at, partition=end.partition, offset=end.end, value=value)
    consumed = Consumed(at=end.at, partition=end.partition, first=end.end, last=end.end)
    return [*without(events, end), end.model_copy(update={"end": end.end + 1}), again, consumed]


def acknowledge_under_min_isr(events: list[Event], pick: Pick) -> list[Event]:
    one = pick([one for one in of(events, Acknowledged) if BEGAN + 1 < one.at < at(events, "fault") - 1])
    leader = 1 if one.partition % 3 == 0 else (one.partition + 1) % 3
    return [
        *events,
        state(one.partition, leader, (leader,), one.at - 0.8),
        state(one.partition, leader, (0, 1, 2), one.at + 0.8),
    ]


def shrink_for_a_moment(events: list[Event], pick: Pick) -> list[Event]:
    moved = pick([one for one in of(events, PartitionState) if len(one.isr) == 2])
    return [
        *events,
        moved.model_copy(update={"at": moved.at + 0.1, "isr": moved.isr[:1]}),
        moved.model_copy(update={"at": moved.at + 0.3}),
    ]


def fail_a_send(events: list[Event], pick: Pick) -> list[Event]:
    error = SendFailed(at=pick(of(events, Acknowledged)).at, value=10**6, error="TimeoutException")
    return [*events, error]


def wait_long(events: list[Event], pick: Pick) -> list[Event]:
    """What was sent meanwhile is in the log, but nobody was told."""
    partition, begin = pick([end.partition for end in of(events, ReadEnd)]), at(events, "heal")
    return without(
        events,
        *(one for one in of(events, Acknowledged) if one.partition == partition and begin < one.at < begin + 2.5),
    )


def never_catch_up(events: list[Event], pick: Pick) -> list[Event]:
    whole = pick([one for one in of(events, PartitionState) if one.at > at(events, "settle")])
    return without(events, whole)


def keep_the_leader(events: list[Event], pick: Pick) -> list[Event]:
    return [
        event.model_copy(update={"leader": 1})
        if isinstance(event, PartitionState) and event.partition % 3 == 0
        else event
        for event in events
    ]


def let_another_go(events: list[Event], pick: Pick) -> list[Event]:
    answer = EvictionAnswer(at=at(events, "heal") - pick((0.1, 1)), pod=pick(("kafka-0", "kafka-2")), granted=True)
    return [*events, answer]


def stay_without_a_leader(events: list[Event], pick: Pick) -> list[Event]:
    return without(events, [one for one in of(events, QuorumState) if one.leader is not None][-1])


def lose_voters(events: list[Event], pick: Pick) -> list[Event]:
    return [*events, QuorumState(at=at(events, "heal"), leader=2, voters=(pick((0, 1, 2)),))]


def skip(events: list[Event], pick: Pick) -> list[Event]:
    """Any but the first: where a group begins is its own affair."""
    return without(events, pick([one for one in of(events, Consumed) if one.first]))


CORRUPTIONS: dict[Callable[[list[Event], Pick], list[Event]], set[str]] = {
    lose: {"no-loss"},
    cut_the_log: {"no-loss"},
    swap: {"no-loss", "no-false-acknowledgement", "order-kept"},
    overwrite: {"no-loss", "no-false-acknowledgement"},
    double: {"no-duplicates"},
    acknowledge_under_min_isr: {"no-false-acknowledgement", "min-isr-kept"},
    shrink_for_a_moment: {"min-isr-kept"},
    fail_a_send: {"no-client-errors"},
    wait_long: {"longest-gap"},
    never_catch_up: {"isr-whole-again"},
    keep_the_leader: {"leader-moved"},
    let_another_go: {"second-eviction-refused"},
    stay_without_a_leader: {"quorum-kept"},
    lose_voters: {"quorum-kept"},
    skip: {"consumer-goes-on"},
}
SETTINGS = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(plan=PLANS)
def test_a_correct_history_passes(plan: Plan) -> None:
    assert set(outcomes(drain_leader(plan)).values()) == {Outcome.PASS}


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda corrupt: corrupt.__name__)
@SETTINGS
@given(plan=PLANS, data=st.data())
def test_a_corruption_is_found_by_its_checks(
    corrupt: Callable[[list[Event], Pick], list[Event]], plan: Plan, data: st.DataObject
) -> None:
    def pick(choices: Sequence[Any]) -> Any:
        return choices[data.draw(st.integers(0, len(choices) - 1))]

    found = outcomes(corrupt(drain_leader(plan), pick))
    assert {name for name, outcome in found.items() if outcome is Outcome.FAIL} == CORRUPTIONS[corrupt]
    assert {name for name, outcome in found.items() if outcome is Outcome.UNKNOWN} == set()


def test_every_check_of_a_drain_has_a_corruption_that_it_finds() -> None:
    assert set().union(*CORRUPTIONS.values()) == set(outcomes([]))
