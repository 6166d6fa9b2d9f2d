"""Where replicas go: what holds for any cluster, and a few that are read by eye."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.scripts.process import Refused
from components.scripts.reassignment import Assignment, balance, place, starved

THREE = {0: "a", 1: "b", 2: "c"}
FIVE = {**THREE, 3: "a", 4: "b"}


@dataclass(frozen=True)
class Case:
    """Partitions wherever they are, and the brokers that are to hold them."""

    current: Assignment
    racks: Mapping[int, str]


@st.composite
def cases(draw: st.DrawFn, *, partitions: int = 8, even: bool = False, one_each: bool = False) -> Case:
    """Up to eight brokers, and some that leave, in up to four racks. `even`: racks of one size; `one_each`: as many
    replicas as racks.
    """
    zones = draw(st.integers(1, 4))
    count = zones * draw(st.integers(1, 2)) if even else draw(st.integers(zones, 8))
    free = (draw(st.integers(0, zones - 1)) for _ in range(count - zones))
    racks = {one: "abcd"[one if one < zones else one % zones if even else next(free)] for one in range(count)}
    everyone = range(count + draw(st.integers(0, 3)))
    current: dict[tuple[str, int], tuple[int, ...]] = {}
    for topic in draw(st.lists(st.sampled_from(("orders", "payments", "audit")), unique=True)):
        factor = zones if one_each else draw(st.integers(1, min(4, count)))
        for index, brokers in enumerate(draw(st.lists(st.permutations(everyone), max_size=partitions))):
            current[topic, index] = tuple(brokers[:factor])
    return Case(current, racks)


def held(assignment: Assignment, brokers: Iterable[int]) -> dict[int, int]:
    found = Counter(broker for replicas in assignment.values() for broker in replicas)
    return {broker: found[broker] for broker in brokers}


def leading(assignment: Assignment) -> Counter[int]:
    return Counter(replicas[0] for replicas in assignment.values())


def spread(replicas: Iterable[int], racks: Mapping[int, str]) -> list[int]:
    return sorted(Counter(racks[broker] for broker in replicas).values(), reverse=True)


def best_spread(size: int, racks: Mapping[int, str]) -> list[int]:
    """In as many racks as can be, and then with the fewest in the fullest."""
    spreads = (spread(brokers, racks) for brokers in combinations(racks, size))
    return min(spreads, key=lambda one: (-len(one), one))


def arrivals(before: Assignment, after: Assignment) -> int:
    """How many replicas are copied."""
    return sum(len(set(after[key]) - set(before[key])) for key in before)


@pytest.mark.parametrize("plan", [place, balance])
@settings(deadline=None)
@given(case=cases())
def test_a_plan_is_valid_and_spread_over_racks(plan: type, case: Case) -> None:
    planned: Assignment = plan(case.current, case.racks)
    assert planned.keys() == case.current.keys()
    for key, replicas in planned.items():
        assert len(replicas) == len(case.current[key])
        assert len(set(replicas)) == len(replicas)
        assert set(replicas) <= set(case.racks)
        assert spread(replicas, case.racks) == best_spread(len(replicas), case.racks)


@settings(deadline=None)
@given(case=cases())
def test_no_more_is_moved_than_must_be(case: Case) -> None:
    for key, replicas in place(case.current, case.racks).items():
        before = case.current[key]
        best = best_spread(len(before), case.racks)
        spread_best = (one for one in combinations(case.racks, len(before)) if spread(one, case.racks) == best)
        fewest = min(len(set(one) - set(before)) for one in spread_best)
        assert len(set(replicas) - set(before)) == fewest
        if not fewest:
            assert replicas == before, "neither replicas nor order"


@settings(deadline=None)
@given(case=cases())
def test_brokers_of_a_rack_hold_the_same(case: Case) -> None:
    load = held(balance(case.current, case.racks), case.racks)
    for rack in set(case.racks.values()):
        loads = [load[broker] for broker in case.racks if case.racks[broker] == rack]
        assert max(loads) - min(loads) <= 1


@settings(deadline=None)
@given(case=cases(even=True))
def test_all_brokers_hold_the_same_where_racks_are_of_one_size(case: Case) -> None:
    load = held(balance(case.current, case.racks), case.racks).values()
    assert max(load) - min(load) <= 1


@settings(deadline=None)
@given(case=cases(partitions=2))
def test_leaders_are_spread_as_well_as_the_replicas_allow(case: Case) -> None:
    planned = balance(case.current, case.racks)
    possible = (Counter(leaders) for leaders in product(*planned.values()))
    best = min(sum(count**2 for count in leaders.values()) for leaders in possible)
    assert sum(count**2 for count in leading(planned).values()) == best


@settings(deadline=None)
@given(case=cases(one_each=True))
def test_balancing_copies_only_what_the_poorer_lack(case: Case) -> None:
    """In the usual case, a replica in each rack, no broker gives and takes."""
    placed, planned = place(case.current, case.racks), balance(case.current, case.racks)
    before, after = held(placed, case.racks), held(planned, case.racks)
    assert arrivals(placed, planned) == sum(max(after[broker] - before[broker], 0) for broker in case.racks)


@pytest.mark.parametrize("plan", [place, balance])
@settings(deadline=None)
@given(case=cases())
def test_a_plan_is_the_same_each_time_and_planned_once(plan: type, case: Case) -> None:
    planned: Assignment = plan(case.current, case.racks)
    shuffled = dict(reversed(list(case.current.items())))
    assert plan(shuffled, dict(reversed(list(case.racks.items())))) == planned
    assert plan(planned, case.racks) == planned


def test_three_brokers_become_five() -> None:
    """The new brokers take half of what those in their zones hold, the one in the third zone keeps its replicas."""
    current = {("orders", index): tuple((index + shift) % 3 for shift in range(3)) for index in range(30)}
    assert starved(current, FIVE) == [3, 4]
    planned = balance(current, FIVE)
    assert held(planned, FIVE) == {0: 15, 1: 15, 2: 30, 3: 15, 4: 15}
    assert arrivals(current, planned) == 30
    assert set(leading(planned).values()) == {6}
    assert starved(planned, FIVE) == []


def test_five_brokers_become_three() -> None:
    """Each replica that has to go goes to its zone's other broker, and what need not move stays as it is."""
    current = {
        ("orders", 0): (0, 1, 2),
        ("orders", 1): (3, 4, 2),
        ("orders", 2): (4, 0, 2),
        ("orders", 3): (2, 3, 1),
    }
    assert place(current, THREE) == {
        ("orders", 0): (0, 1, 2),
        ("orders", 1): (2, 0, 1),
        ("orders", 2): (1, 0, 2),
        ("orders", 3): (2, 1, 0),
    }


def test_a_replication_factor_is_raised_and_lowered() -> None:
    current = {("orders", 0): (0, 1, 2), ("audit", 0): (0, 1, 2)}
    raised = place(current, FIVE, {"orders": 4})
    assert raised == {("orders", 0): (1, 0, 2, 3), ("audit", 0): (0, 1, 2)}, (
        "it leads what no other topic's leader does"
    )
    assert place(raised, FIVE, {"orders": 3}) == {("orders", 0): (1, 2, 3), ("audit", 0): (0, 1, 2)}


def test_the_leader_is_given_up_last() -> None:
    assert place({("orders", 0): (2, 0, 1)}, THREE, {"orders": 2}) == {("orders", 0): (2, 0)}
    one_rack = dict.fromkeys(range(3), "a")
    current = {("orders", 0): (0, 1), ("orders", 1): (1, 0)}
    assert balance(current, one_rack) == {("orders", 0): (0, 1), ("orders", 1): (1, 2)}


def test_each_topic_is_spread() -> None:
    current = {(topic, index): (index % 2,) for topic in ("audit", "orders") for index in range(6)}
    planned = balance(current, dict.fromkeys(range(3), "a"))
    assert Counter((topic, broker) for (topic, _), (broker,) in planned.items()) == {
        (topic, broker): 2 for topic in ("audit", "orders") for broker in range(3)
    }


def test_a_full_rack_takes_no_second_replica() -> None:
    """A partition that has all of a rack's brokers is passed over, though the rack holds less than the other."""
    current = {("audit", 0): (0, 1, 3), **{("orders", index): (index % 3,) for index in range(9)}}
    planned = balance(current, {0: "a", 1: "a", 2: "a", 3: "b"})
    assert planned["audit", 0] == (0, 1, 3)
    assert held(planned, range(4)) == {0: 3, 1: 3, 2: 3, 3: 3}


def test_a_factor_above_the_brokers_is_refused() -> None:
    current = {(name, 0): (0, 1, 2, 3) for name in ("a", "b", "c", "d", "e")} | {("small", 0): (0, 1)}
    with pytest.raises(Refused, match=r"^a, b, c and 2 more would have 4 replicas, and 3 brokers can hold one each"):
        place(current, THREE)


def test_a_share_of_nothing_starves_nobody() -> None:
    assert starved({}, THREE) == []
    assert starved({("orders", 0): (0, 1, 2)}, FIVE) == [], "three replicas are no share of five"
