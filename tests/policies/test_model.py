"""The rules against an independent model: every placement that the scheduler may choose, every loss, every eviction.

The model knows nothing of the rules. It places nodes as Kubernetes may, replicas as Kafka may, takes a node or a
zone away (or what the budget lets go), and asks whether writes go on and no acknowledged record is gone.
"""

import itertools
import os
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules import ClusterFacts, Outcome, examine
from policies.rules.model import Budget, Fact, NodeGroup, Replicas, Spread

EXAMPLES = int(os.environ.get("KAFKA_HA_CASES", "500"))  # nightly: 10000
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
RULES = {"replication-factor", "replication-fits-brokers", "min-isr", "min-isr-below-replication-factor", "rack"}
RULES |= {"odd-voters", "voters", "voters-fit-nodes", "zone-majority", "zones", "zone-spread", "disruption-budget"}


@dataclass(frozen=True)
class Setup:
    """A cluster in combined mode, all that the model needs to know of it."""

    brokers: int
    zones: int
    factor: int
    min_isr: int
    voters: int
    budget: int
    spread: bool
    rack: bool


WILD = st.builds(
    Setup,
    brokers=st.sampled_from((1, 2, 3, 3, 3, 4, 5, 5, 6, 7)),
    zones=st.sampled_from((1, 2, 3, 3, 4)),
    factor=st.sampled_from((1, 2, 3, 3, 3, 4, 5)),
    min_isr=st.sampled_from((1, 2, 2, 2, 3, 4)),
    voters=st.sampled_from((1, 2, 3, 3, 3, 4, 5, 5, 7)),
    budget=st.sampled_from((0, 1, 1, 1, 2, 3)),
    spread=st.sampled_from((True, True, True, False)),
    rack=st.sampled_from((True, True, True, False)),
)
# Of wild ones few are safe.
LIKELY = st.builds(
    Setup,
    brokers=st.integers(3, 7),
    zones=st.integers(3, 4),
    factor=st.integers(3, 5),
    min_isr=st.integers(2, 3),
    voters=st.sampled_from((3, 5)),
    budget=st.integers(1, 2),
    spread=st.just(True),
    rack=st.booleans(),
)
SETUPS = WILD | LIKELY


def facts(one: Setup) -> ClusterFacts:
    """The cluster as the rules see it."""
    group = NodeGroup(
        "kafka",
        Fact("replicas", one.brokers),
        broker=True,
        controller=True,
        spreads=Fact("spreads", (Spread("spread", ZONE, one.spread, 1, True),)),
        budgets=Fact("budgets", (Budget("budget", Fact("budget", one.budget)),)),
    )
    return ClusterFacts(
        path="kafka",
        brokers=Fact("brokers", one.brokers),
        default=Replicas("", Fact("factor", one.factor), Fact("min", one.min_isr)),
        voters=Fact("voters", one.voters),
        zones=Fact("zones", tuple(f"z{index}" for index in range(one.zones))),
        rack=Fact("rack", ZONE if one.rack else None),
        groups=(group,),
    )


def why(one: Setup) -> frozenset[str]:
    """The rules that refuse a cluster."""
    return frozenset(verdict.rule for verdict in examine(facts(one)) if verdict.outcome is Outcome.FAIL) & RULES


def passes(one: Setup) -> bool:
    return not why(one)


@cache
def counts(nodes: int, zones: int, even: bool) -> tuple[tuple[int, ...], ...]:
    """How many nodes each zone may get; a skew of 1 at most where the spread is hard."""
    every = (split for split in itertools.product(range(nodes + 1), repeat=zones) if sum(split) == nodes)
    return tuple(sorted({tuple(sorted(split)) for split in every if not even or max(split) - min(split) <= 1}))


def placements(one: Setup) -> list[tuple[int, ...]]:
    """The zone of each node, for every placement; nodes are taken as alike but for who votes."""
    found: set[tuple[int, ...]] = set()
    for split in counts(one.brokers, one.zones, one.spread):
        zones = [zone for zone, count in enumerate(split) for _ in range(count)]
        # The voters are the first nodes: which zones they got is the only thing that differs.
        for voting in set(itertools.combinations(zones, min(one.voters, one.brokers))):
            rest = list(zones)
            for zone in voting:
                rest.remove(zone)
            found.add(voting + tuple(rest))
    return sorted(found)


def partitions(one: Setup, zone_of: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The sets of nodes that Kafka may give a partition: as many racks as it can, evenly, where it knows them."""
    every = list(itertools.combinations(range(one.brokers), one.factor))
    if not one.rack:
        return every

    def fullest(replicas: tuple[int, ...]) -> int:
        zones = [zone_of[node] for node in replicas]
        return max(zones.count(zone) for zone in zones)

    best = min(map(fullest, every), default=0)
    return [replicas for replicas in every if fullest(replicas) == best]


def survives(one: Setup) -> bool:
    """Whether writes go on, and no acknowledged record is gone, whatever was placed where and is lost.

    Writes must outlive the loss of a node, of a zone, and what the budget lets go. A record must outlive the loss of
    a node even where only the minimum of replicas was in sync, and the loss of a zone where all were.
    """
    if one.factor > one.brokers or one.min_isr > one.factor or one.budget < 1:
        return False  # topics can't be made, no write is accepted, no node can be drained
    nodes = range(one.brokers)
    single = [frozenset({node}) for node in nodes]
    evicted = [frozenset(chosen) for chosen in itertools.combinations(nodes, min(one.budget, one.brokers))]
    if one.min_isr < 2:  # the one in-sync replica of some record is on some node
        return False
    for zone_of in placements(one):
        zones = {frozenset(node for node in nodes if zone_of[node] == zone) for zone in zone_of}
        chosen = [frozenset(replicas) for replicas in partitions(one, zone_of)]
        for lost in {*single, *zones, *evicted}:
            if 2 * len(frozenset(range(min(one.voters, one.brokers))) - lost) <= one.voters:
                return False
            if any(len(replicas - lost) < one.min_isr for replicas in chosen):
                return False
    return True


# What the rules refuse though it may survive: a voter too many is no danger, and no use.
STRICTER = {"odd-voters", "voters-fit-nodes"}
TRIED: Counter[str] = Counter()


@settings(max_examples=EXAMPLES, deadline=None)
@given(SETUPS)
def test_what_passes_survives_and_what_is_refused_breaks(one: Setup) -> None:
    passed, alive = passes(one), survives(one)
    TRIED[f"{'pass' if passed else 'are refused'} and {'survive' if alive else 'break'}"] += 1
    assert alive or not passed, "the rules pass what breaks"
    assert passed or not alive or why(one) <= STRICTER, "the rules refuse what survives"


def test_the_rules_and_the_model_agree_on_every_small_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    passed_and_breaks, refused_and_survives, tried = [], [], 0
    ranges = (range(1, 7), range(1, 5), range(1, 6), range(1, 5), range(1, 6), range(3), (True, False), (True, False))
    for one in itertools.starmap(Setup, itertools.product(*ranges)):
        tried += 1
        passed, alive = passes(one), survives(one)
        if passed and not alive:
            passed_and_breaks.append(one)
        if alive and not passed and not why(one) <= STRICTER:
            refused_and_survives.append(one)
    with capsys.disabled():
        at_random = ", ".join(f"{count} {what}" for what, count in TRIED.most_common())
        print(f"\n{tried} small clusters tried, and {TRIED.total()} at random: {at_random or 'none'}")
    assert passed_and_breaks == []
    assert refused_and_survives == []
