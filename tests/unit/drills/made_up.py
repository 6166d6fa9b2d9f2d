"""Histories of drills that never ran: correct ones, to be broken by the tests."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drills.checks import judge
from drills.history import Record
from drills.model import (
    About,
    Acknowledged,
    BudgetState,
    Consumed,
    Event,
    EvictionAnswer,
    NodeState,
    Note,
    Outcome,
    PartitionState,
    Phase,
    PodState,
    QuorumState,
    Read,
    ReadEnd,
    SendFailed,
)

BEGAN = 1_790_000_000.0
ZONES = {0: "zone-a", 1: "zone-b", 2: "zone-c"}
EXPECTATIONS = (
    "no-loss",
    "no-false-acknowledgement",
    "order-kept",
    "no-duplicates",
    "consumer-goes-on",
    "longest-gap=1",
    "no-client-errors",
    "min-isr-kept",
    "leader-moved",
    "isr-whole-again",
    "second-eviction-refused",
    "quorum-kept=3",
)
"""What holds in `drain_leader`."""


@dataclass(frozen=True)
class Plan:
    """Of a made-up drill; all in seconds, but for `rate`, records a second."""

    partitions: int = 3
    rate: int = 100
    fault: float = 4.0
    heal: float = 10.0
    audit: float = 18.0
    gap: float = 0.4
    seed: int = 0


def about(expectations: Sequence[str] = EXPECTATIONS, partitions: int = 3) -> About:
    return About(
        drill="drain-leader",
        statement="The node of a partition's leader is cordoned and drained, and given back.",
        began=BEGAN,
        context="k3d-kube-cluster",
        namespace="kafka",
        image="apache/kafka:4.3.1",
        kubernetes="v1.36.0+k3s1",
        brokers=(0, 1, 2),
        zones=ZONES,
        topic="drill",
        partitions=partitions,
        replication_factor=3,
        min_isr=2,
        rate=100,
        client="acks=all\nenable.idempotence=true\n",
        expectations=tuple(expectations),
    )


def drain_leader(plan: Plan | None = None) -> list[Event]:
    """The node of broker 1 is drained and comes back; the partitions that it led wait for `gap` seconds."""
    plan = plan or Plan()
    return sorted([*_cluster(plan), *_records(plan, _sends(plan))], key=lambda event: event.at)


def drain_two(plan: Plan | None = None) -> list[Event]:
    """Two of three brokers go by force: writes are refused from a second after the fault until the heal."""
    plan = plan or Plan()
    refused = (BEGAN + plan.fault + 1, BEGAN + plan.heal)
    sends = [(at, partition) for at, partition in _sends(plan) if not refused[0] < at < refused[1]]
    events = [*_cluster(plan), *_records(plan, sends)]
    for partition in range(plan.partitions):
        events += [state(partition, 2, (2,), refused[0]), state(partition, 2, (0, 2), refused[1])]
    events += [SendFailed(at=refused[0] + 0.1, value=10**6, error="NotEnoughReplicasException")]
    return sorted(events, key=lambda event: event.at)


def record(events: Sequence[Event], expectations: Sequence[str] = EXPECTATIONS) -> Record:
    partitions = 1 + max((event.partition for event in events if isinstance(event, Acknowledged)), default=0)
    return Record(about(expectations, partitions), sorted(events, key=lambda event: event.at))


def outcomes(events: Sequence[Event], expectations: Sequence[str] = EXPECTATIONS) -> dict[str, Outcome]:
    """By the check's name."""
    return {found.expectation.partition("=")[0]: found.outcome for found in judge(record(events, expectations))}


def state(partition: int, leader: int | None, isr: tuple[int, ...], at: float) -> PartitionState:
    replicas = tuple((_leader(partition) + place) % 3 for place in range(3))
    return PartitionState(at=at, partition=partition, leader=leader, replicas=replicas, isr=isr, min_isr=2)


def pod(broker: int, at: float, phase: str = "Running", *, ready: bool = True, terminating: bool = False) -> PodState:
    return PodState.model_validate(
        {
            "at": at,
            "name": f"kafka-{broker}",
            "broker": broker,
            "node": f"agent-{broker}",
            "phase": phase,
            "ready": ready,
            "terminating": terminating,
        }
    )


def node(broker: int, at: float, *, ready: bool = True, schedulable: bool = True) -> NodeState:
    return NodeState(at=at, name=f"agent-{broker}", zone=ZONES[broker], ready=ready, schedulable=schedulable)


def _leader(partition: int) -> int:
    """Before the fault: broker 1 has the first partition, so that it always leads one."""
    return (partition + 1) % 3


def _sends(plan: Plan) -> list[tuple[float, int]]:
    """Time and partition of each acknowledgement, in the order of sending."""
    gap = (BEGAN + plan.fault + 0.05, BEGAN + plan.fault + 0.05 + plan.gap)
    sends = []
    for number in range(int(plan.rate * plan.audit)):
        at = BEGAN + 0.01 + number / plan.rate
        partition = number % plan.partitions
        waits = _leader(partition) == 1 and gap[0] < at < gap[1]
        sends.append((gap[1] + (at - gap[0]) / 1000 if waits else at, partition))
    return sends


def _records(plan: Plan, sends: list[tuple[float, int]]) -> Iterator[Event]:
    """Acknowledgements, the group that reads along, and the final read."""
    ends = dict.fromkeys(range(plan.partitions), 0)
    value, chance = 0, random.Random(plan.seed)
    got: list[tuple[int, float, int]] = []
    for at, partition in sends:
        offset = ends[partition]
        yield Acknowledged(at=at, partition=partition, offset=offset, value=value)
        yield Read(at=BEGAN + plan.audit + 1, partition=partition, offset=offset, value=value)
        value += chance.choice((1, 1, 1, 2))  # some are neither acknowledged nor in the log
        got.append((partition, at, ends[partition]))
        ends[partition] += 1
    for partition in range(plan.partitions):
        mine = [(at, offset) for of, at, offset in got if of == partition]
        for first in range(0, len(mine), 20):
            batch = mine[first : first + 20]
            yield Consumed(at=batch[-1][0] + 0.02, partition=partition, first=batch[0][1], last=batch[-1][1])
        yield ReadEnd(at=BEGAN + plan.audit + 1.1, partition=partition, end=ends[partition])


def _cluster(plan: Plan) -> Iterator[Event]:
    fault, heal, audit = (BEGAN + at for at in (plan.fault, plan.heal, plan.audit))
    yield Phase(at=BEGAN, name="load")
    yield Phase(at=fault, name="fault", detail="drain agent-1")
    yield Phase(at=heal, name="heal", detail="uncordon agent-1")
    yield Phase(at=heal + 0.2, name="settle")
    yield Phase(at=audit, name="audit")
    yield Phase(at=audit + 2, name="end")
    for partition in range(plan.partitions):
        leader = _leader(partition)
        heir = 2 if leader == 1 else leader
        yield state(partition, leader, (0, 1, 2), BEGAN)
        yield state(partition, heir, (0, 2), fault + 0.2)
        yield state(partition, heir, (0, 1, 2), heal + 4)
    yield QuorumState(at=BEGAN, leader=0, voters=(0, 1, 2))
    yield QuorumState(at=fault + 0.3, leader=None, voters=(0, 1, 2))
    yield QuorumState(at=fault + 0.9, leader=2, voters=(0, 1, 2))
    yield BudgetState(at=BEGAN, name="kafka", allowed=1)
    yield BudgetState(at=fault + 0.1, name="kafka", allowed=0)
    yield BudgetState(at=heal + 4.2, name="kafka", allowed=1)
    for broker in range(3):
        yield pod(broker, BEGAN)
        yield node(broker, BEGAN)
    yield Note(at=fault, text="agent-1 is cordoned")
    yield node(1, fault + 0.01, schedulable=False)
    yield EvictionAnswer(at=fault + 0.05, pod="kafka-1", granted=True)
    yield pod(1, fault + 0.1, ready=True, terminating=True)
    yield EvictionAnswer(at=fault + 1.5, pod="kafka-2", granted=False, message="it would violate the budget")
    yield pod(1, fault + 2, "Pending", ready=False)
    yield node(1, heal + 0.05, schedulable=True)
    yield Note(at=heal + 0.05, text="agent-1 is given back")
    yield pod(1, heal + 1, ready=False)
    yield pod(1, heal + 4.1)
