"""Ready and safe to stop: each reason by an example, and both verdicts against a model that counts by brute force."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.checker.verdict import CAUGHT_UP, QUORUM_PATIENCE, SILENCE, Node, Observation, unready, unsafe
from components.checker.wire import Metadata, Partition, Quorum, Replica
from tests.unit.checker.kafka import directory

NOW = 1_700_000_000_000
ALL = (0, 1, 2)
NODE = Node(0, broker=True, controller=True, min_isr=2, directory=directory(0))
BROKER = NODE._replace(controller=False)
CONTROLLER = NODE._replace(broker=False)


def partition(*isr: int, replicas: tuple[int, ...] = ALL, topic: str = "t") -> Partition:
    return Partition(topic, 0, isr[0] if isr else -1, replicas, isr)


def voters(*lags: int) -> Quorum:
    """A quorum of which voter 1 is the leader; by how many ms each voter lags behind it, -1 for one never caught up."""
    times = (-1 if lag < 0 else NOW - lag for lag in lags)
    return Quorum(1, 4, tuple(Replica(node, directory(node), time) for node, time in enumerate(times)))


def seen(
    *partitions: Partition, brokers: tuple[int, ...] = ALL, quorum: Quorum | None = None, **more: Any
) -> Observation:
    metadata = Metadata(frozenset(brokers), partitions)
    quorum = quorum or voters(500, 0, 500)
    return Observation(metadata=metadata, quorum=quorum, **{"quorum_age": 0.0} | more)


@pytest.mark.parametrize(
    ("node", "observation", "reasons"),
    [
        (NODE, seen(partition(0, 1, 2)), []),
        (NODE, seen(), []),
        (NODE, seen(partition(1, 2, replicas=(1, 2))), []),  # another's
        (NODE, seen(partition(0)), []),  # others' trouble
        (NODE, Observation(quorum=voters(0, 0, 0), quorum_age=0.0), ["Kafka has not answered yet"]),
        (NODE, seen(trouble="127.0.0.1:9092 does not answer"), ["127.0.0.1:9092 does not answer"]),
        (NODE, seen(brokers=(1, 2)), ["broker 0 is not registered, or fenced"]),
        (
            NODE,
            seen(partition(0, 1), partition(1, 2, topic="late"), partition(1, topic="later")),
            ["out of the ISR of 2 of 3 partitions, such as late-0"],
        ),
        # A reassignment adds it: unready until it has caught up.
        (NODE, seen(partition(1, 2, 3, replicas=(0, 1, 2, 3))), ["out of the ISR of 1 of 1 partitions, such as t-0"]),
        (NODE, seen(quorum_age=QUORUM_PATIENCE + 1), ["no leader of the quorum answers"]),
        (NODE, seen()._replace(quorum=None), ["no leader of the quorum answers"]),
        (NODE, seen(quorum_age=QUORUM_PATIENCE), []),
        (NODE, seen(quorum=voters(CAUGHT_UP, 0, 0)), []),
        (NODE, seen(quorum=voters(CAUGHT_UP + 2001, 0, 0)), ["voter 0 lags 12 s behind the leader"]),
        (NODE, seen(quorum=voters(-1, 0, 0)), ["voter 0 has not caught up yet"]),
        (
            NODE._replace(directory=directory(7)),  # a replaced disk, not yet taken in
            seen(),
            [f"voter 0 with the disk {directory(7)} is not in the quorum"],
        ),
        (NODE._replace(directory=""), seen(), ["voter 0 with the disk (not formatted) is not in the quorum"]),
        (BROKER._replace(id=5, directory="x"), seen(brokers=(5,)), []),
        (BROKER, seen(quorum_age=inf), ["no leader of the quorum answers"]),
        (CONTROLLER, Observation(quorum=voters(0, 0, 0), quorum_age=0.0), []),
    ],
)
def test_unready(node: Node, observation: Observation, reasons: list[str]) -> None:
    assert unready(node, observation) == reasons


THIN = ["1 partitions would fall under their minimum ISR, such as t-0"]


@pytest.mark.parametrize(
    ("node", "observation", "reasons"),
    [
        (NODE, seen(partition(0, 1, 2)), []),
        (NODE, seen(partition(0, 1)), THIN),
        (NODE, seen(partition(0)), THIN),
        (NODE, seen(partition(1)), []),  # it counts on others only
        (NODE, seen(partition(0, 1, 2), min_isrs={"t": 3}), []),  # no replica to spare: the others are kept
        (NODE, seen(partition(0, 1), min_isrs={"t": 3}), THIN),
        (NODE, seen(partition(0, 1), min_isrs={"t": 1}), []),
        (NODE, seen(partition(0, replicas=(0,))), []),
        (NODE, seen(partition(0, replicas=(0, 1))), THIN),  # being moved, or about to lose its only copy
        (NODE._replace(min_isr=3), seen(partition(0, 1, 2), partition(0, 1, 2, 3, replicas=(0, 1, 2, 3))), []),
        (NODE, seen(partition(0), trouble="timed out", metadata_age=SILENCE), ["timed out"]),
        (NODE, seen(partition(0), trouble="timed out", metadata_age=SILENCE + 1), []),
        (NODE, seen()._replace(metadata=None), ["Kafka has not answered yet"]),
        (NODE, seen(metadata_age=SILENCE + 1)._replace(metadata=None), []),
        (NODE, seen(quorum=voters(0, 0, CAUGHT_UP + 1)), ["the quorum would be left with 1 of 3 voters"]),
        (NODE, seen(quorum=voters(0, 0, -1)), ["the quorum would be left with 1 of 3 voters"]),
        (NODE, seen(quorum=voters(0, 0, 0, 0)), []),
        (NODE, seen(quorum=voters(0, 0, 0, -1)), ["the quorum would be left with 2 of 4 voters"]),
        (NODE, seen(quorum=voters(0, 0, 0, -1, -1)), ["the quorum would be left with 2 of 5 voters"]),
        (NODE._replace(id=7), seen(quorum=voters(0, 0, -1)), []),  # no voter
        (NODE, seen(quorum_age=QUORUM_PATIENCE + 1), ["no leader of the quorum answers"]),
        (BROKER, seen(quorum_age=inf), []),
        (CONTROLLER, Observation(quorum=voters(0, 0, 0), quorum_age=0.0, trouble="x"), []),
    ],
)
def test_unsafe(node: Node, observation: Observation, reasons: list[str]) -> None:
    assert unsafe(node, observation) == reasons


def test_voters_that_have_not_caught_up_since_are_not_counted_on() -> None:
    observation = seen(quorum=voters(500, 0, 400))
    assert unsafe(CONTROLLER, observation, NOW - 401) == []
    assert unsafe(CONTROLLER, observation, NOW - 400) == ["the quorum would be left with 1 of 3 voters"]


def subset(of: frozenset[int] | set[int]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.sampled_from(sorted(of)), unique=True).map(tuple) if of else st.just(())


@st.composite
def partitions(draw: st.DrawFn, brokers: int = 5) -> Partition:
    replicas = draw(subset(set(range(brokers))).filter(bool))
    return Partition(draw(st.sampled_from("abc")), draw(st.integers(0, 9)), -1, replicas, draw(subset(set(replicas))))


replicas = st.builds(
    Replica, st.integers(0, 4), st.integers(0, 1).map(directory), st.sampled_from([-1, NOW - 60_000, NOW - 500, NOW])
)
quorums = st.lists(replicas, unique_by=lambda voter: voter.node, min_size=1, max_size=5).map(
    # The leader has caught up with itself.
    lambda found: Quorum(found[0].node, 4, (found[0]._replace(caught_up=NOW), *found[1:]))
)
clusters = st.builds(
    Observation,
    metadata=st.builds(Metadata, subset(set(range(5))).map(frozenset), st.lists(partitions(), max_size=6).map(tuple)),
    quorum=quorums,
    quorum_age=st.just(0.0),
    min_isrs=st.dictionaries(st.sampled_from("abc"), st.integers(1, 4)),
    metadata_age=st.just(0.0),
    trouble=st.just(""),
)
any_node = st.builds(
    Node, st.integers(0, 4), st.booleans(), st.booleans(), st.integers(1, 3), st.integers(0, 1).map(directory)
)


def outlives(node: Node, cluster: Observation) -> bool:
    """Whether all goes on without the node, by the definition: take it away and count."""
    assert cluster.metadata
    assert cluster.quorum
    for partition in cluster.metadata.partitions if node.broker else ():
        left = set(partition.isr) - {node.id}
        minimum = min(cluster.min_isrs.get(partition.topic, node.min_isr), len(set(partition.replicas)) - 1)
        if left != set(partition.isr) and len(left) < minimum:
            return False
    all_voters = {voter.node for voter in cluster.quorum.voters}
    alive = {voter.node for voter in cluster.quorum.voters if NOW - voter.caught_up < CAUGHT_UP} - {node.id}
    return not node.controller or node.id not in all_voters or len(alive) * 2 > len(all_voters)


@given(any_node, clusters)
def test_it_may_stop_just_when_all_goes_on_without_it(node: Node, cluster: Observation) -> None:
    assert (not unsafe(node, cluster)) == outlives(node, cluster)


@given(any_node, clusters, st.data())
def test_one_brokers_trouble_makes_no_other_unready(node: Node, cluster: Observation, data: st.DataObject) -> None:
    """Whatever concerns other brokers only may change, and the minimum ISRs: the verdict stays."""
    assert cluster.metadata
    others = set(range(5)) - {node.id}

    def troubled(partition: Partition) -> Partition:
        kept = tuple({node.id} & set(partition.isr))
        return partition._replace(
            isr=kept + data.draw(subset(others & set(partition.replicas))),
            leader=data.draw(st.sampled_from([-1, *others])),
        )

    foreign = [one for one in data.draw(st.lists(partitions(), max_size=3)) if node.id not in one.replicas]
    hosted = [troubled(partition) for partition in cluster.metadata.partitions]
    brokers = frozenset(data.draw(subset(others))) | (cluster.metadata.brokers & {node.id})
    changed = cluster._replace(metadata=Metadata(brokers, (*hosted, *foreign)), min_isrs={"a": 4})
    assert unready(node, changed) == unready(node, cluster)
