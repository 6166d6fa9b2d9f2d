"""What a node's observations mean: is it ready, may it stop. Pure."""

from collections.abc import Iterator, Mapping
from math import inf
from typing import NamedTuple

from .wire import Metadata, Quorum

CAUGHT_UP = 10_000  # ms: a voter whose last fetch of all of the log is older lags behind
QUORUM_PATIENCE = 15.0  # seconds without an answer of the quorum: longer than any election
SILENCE = 30.0  # seconds after which a broker that does not answer is out of every ISR: longer than any session timeout


class Node(NamedTuple):
    """What does not change while it runs. `min_isr` is the brokers' own, for a topic of which none is known yet;
    `directory` the id of the disk that holds its metadata log.
    """

    id: int
    broker: bool
    controller: bool
    min_isr: int = 2
    directory: str = ""


class Observation(NamedTuple):
    """What was seen last. The ages are seconds since the broker, and the quorum's leader, last answered; of a broker
    that never did, since the first question.
    """

    metadata: Metadata | None = None
    metadata_age: float = 0.0
    quorum: Quorum | None = None
    quorum_age: float = inf
    min_isrs: Mapping[str, int] = {}
    trouble: str = ""
    """Why the broker does not answer; empty when it does."""


def unready(node: Node, seen: Observation) -> list[str]:
    """Why the node is not ready, a clause each; empty when it is.

    Ready means in sync: it is in the ISR of every partition that it holds, and its voter, where it has one, is in the
    quorum and caught up. Only what concerns this node counts, so that one broker's trouble makes no other one
    unready; a quorum without a leader concerns all. A broker that a reassignment adds to a partition is unready
    until it has caught up: neither a drain nor a roll goes on while replicas move.
    """
    return [*_broker(node, seen), *_quorum(node, seen)]


def _broker(node: Node, seen: Observation) -> Iterator[str]:
    if not node.broker:
        return
    if seen.trouble or seen.metadata is None:
        yield seen.trouble or "Kafka has not answered yet"
        return
    if node.id not in seen.metadata.brokers:
        yield f"broker {node.id} is not registered, or fenced"
    held = [partition for partition in seen.metadata.partitions if node.id in partition.replicas]
    if out := [partition for partition in held if node.id not in partition.isr]:
        yield f"out of the ISR of {len(out)} of {len(held)} partitions, such as {out[0].topic}-{out[0].number}"


def _quorum(node: Node, seen: Observation) -> Iterator[str]:
    if seen.quorum is None or seen.quorum_age > QUORUM_PATIENCE:
        yield "no leader of the quorum answers"
        return
    if not node.controller:
        return
    own = [voter for voter in seen.quorum.voters if (voter.node, voter.directory) == (node.id, node.directory)]
    if not own:
        yield f"voter {node.id} with the disk {node.directory or '(not formatted)'} is not in the quorum"
    elif own[0].caught_up < 0:
        yield f"voter {node.id} has not caught up yet"
    elif seen.quorum.now - own[0].caught_up > CAUGHT_UP:
        yield f"voter {node.id} lags {(seen.quorum.now - own[0].caught_up) // 1000} s behind the leader"


def unsafe(node: Node, seen: Observation, since: int = 0) -> list[str]:
    """Why the node may not stop, a clause each; empty when it may. `since`: only voters that have caught up later, by
    the leader's clock in ms since the epoch, count as alive.

    It may stop when each partition that counts on it keeps its minimum ISR, and the quorum its majority, without
    it. A partition without a replica to spare (replication factor not above the minimum ISR) has to keep all others;
    one of a single replica holds nobody back. Nor is a broker held back that has long been silent: it is in no ISR.
    One that is silent for less, and a quorum of which nothing is known, may count on the node: it waits.
    """
    return [*_thin(node, seen), *_majority(node, seen, since)]


def _thin(node: Node, seen: Observation) -> Iterator[str]:
    if not node.broker or seen.metadata_age > SILENCE:
        return
    if seen.trouble or seen.metadata is None:
        yield seen.trouble or "Kafka has not answered yet"
        return
    thin = []
    for partition in seen.metadata.partitions:
        if node.id not in partition.isr:
            continue
        needed = min(seen.min_isrs.get(partition.topic, node.min_isr), len(partition.replicas) - 1)
        if len(partition.isr) - 1 < needed:
            thin.append(partition)
    if thin:
        yield f"{len(thin)} partitions would fall under their minimum ISR, such as {thin[0].topic}-{thin[0].number}"


def _majority(node: Node, seen: Observation, since: int) -> Iterator[str]:
    if not node.controller:
        return
    if seen.quorum is None or seen.quorum_age > QUORUM_PATIENCE:
        yield "no leader of the quorum answers"
        return
    voters, since = seen.quorum.voters, max(since, seen.quorum.now - CAUGHT_UP)
    others = [voter for voter in voters if voter.node != node.id and voter.caught_up > since]
    if any(voter.node == node.id for voter in voters) and len(others) <= len(voters) // 2:
        yield f"the quorum would be left with {len(others)} of {len(voters)} voters"
