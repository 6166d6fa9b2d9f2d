"""Asks every broker for the leaders and in-sync replicas of a topic, and for the quorum, ten times a second, and prints
what changed as JSON: `python -m drills.pods.monitor TOPIC HOST:PORT,…`. Needs nothing but Python and `checker.wire`.
"""

import contextlib
import json
import os
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from components.checker.wire import METADATA, Connection, Quorum, Reader, Tls, WireError, string_of

_METADATA_VERSION = 7  # the first that tells the leader's epoch (KIP-320)
_PERIOD = 0.08  # seconds from an answer to the next question
_TIMEOUT = 0.8  # seconds for an answer
_FRESH = 1.0  # seconds that an answer counts: a broker that is gone or frozen contradicts nobody
_ALIVE = 1.0  # seconds between signs of life

T = TypeVar("T")


class Partition(NamedTuple):
    """A partition as one broker's metadata tells."""

    number: int
    leader: int | None
    epoch: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


def request(topic: str) -> bytes:
    """The body of a Metadata request of version 7 for one topic, which is not to be created."""
    return struct.pack(">i", 1) + string_of(topic) + b"\0"


def parse_topic(answer: Reader) -> tuple[Partition, ...]:
    """Of a Metadata response of version 7 for one topic; empty while there is no such topic."""

    def broker() -> None:
        answer.int32(), answer.string(), answer.int32(), answer.string()

    def partition() -> Partition:
        _, number, leader, epoch = answer.numbers(">hiii")  # the error says what leader and ISR say too
        replicas, isr, _ = answer.int32s(), answer.int32s(), answer.int32s()  # the last: offline replicas
        return Partition(number, leader if leader >= 0 else None, epoch, replicas, tuple(sorted(isr)))

    def topic() -> list[Partition]:
        answer.int16(), answer.string(), answer.numbers(">b")  # error, name, internal
        return answer.array(partition)

    answer.int32()  # throttle time
    answer.array(broker)
    answer.string(), answer.int32()  # cluster id, controller
    return tuple(one for partitions in answer.array(topic) for one in partitions)


def merged(told: Iterable[Iterable[Partition]], known: Mapping[int, Partition]) -> dict[int, Partition]:
    """What holds of each partition, of what brokers tell that are not equally up to date: what a later leader's epoch
    says, else what most say, else what was known before.
    """
    by_number: dict[int, list[Partition]] = {}
    for partitions in told:
        for one in partitions:
            by_number.setdefault(one.number, []).append(one)
    found = dict(known)
    for number, versions in by_number.items():
        epoch = max(one.epoch for one in versions)
        counted = Counter(one for one in versions if one.epoch == epoch)
        most = max(counted.values())
        winners = [one for one, count in counted.items() if count == most]
        found[number] = known[number] if known.get(number) in winners else winners[0]
    return found


def latest(quorums: Iterable[Quorum]) -> tuple[int | None, tuple[int, ...]]:
    """Leader and voters of the quorum, of what brokers tell; nobody leads when none does."""
    by_epoch = sorted(quorums, key=lambda quorum: quorum.epoch)
    if not by_epoch:
        return None, ()
    return by_epoch[-1].leader, tuple(sorted(voter.node for voter in by_epoch[-1].voters))


def fresh(answers: Mapping[int, tuple[float, T]], now: float) -> list[T]:
    """Those that still count."""
    return [told for at, told in list(answers.values()) if now - at < _FRESH]


class Monitor:
    """Asks in threads, two for each broker, and prints in its own."""

    def __init__(self, topic: str, addresses: Iterable[str], say: Callable[[dict[str, Any]], None]) -> None:
        self._topic, self._say = topic, say
        self._addresses = [address.rsplit(":", 1) for address in addresses]
        self.partitions: dict[int, tuple[float, tuple[Partition, ...]]] = {}
        """The latest of each broker, with its time."""
        self.quorums: dict[int, tuple[float, Quorum]] = {}
        self._known: dict[int, Partition] = {}
        self._quorum: tuple[int | None, tuple[int, ...]] | None = None
        self._min_isr: int | None = None
        self._said = 0.0

    def run(self) -> None:
        """Goes on for ever."""
        for number in range(len(self._addresses)):
            for ask in (self._ask_partitions, self._ask_quorum):
                threading.Thread(target=ask, args=(number,), daemon=True).start()
        while True:
            self.look(time.time())
            time.sleep(_PERIOD / 2)

    def look(self, now: float) -> None:
        """Says what is different from what was said before."""
        found = merged(fresh(self.partitions, now), self._known)
        if self._min_isr is not None:
            for number, one in sorted(found.items()):
                known = self._known.get(number)
                if known is None or known._replace(epoch=one.epoch) != one:
                    state = {"leader": one.leader, "replicas": one.replicas, "isr": one.isr, "min_isr": self._min_isr}
                    self._say({"at": now, "partition": number, **state})
            self._known = found
        quorum = latest(fresh(self.quorums, now))
        if quorum != self._quorum:
            self._quorum = quorum
            self._say({"at": now, "quorum": quorum[0], "voters": quorum[1]})
        if now - self._said >= _ALIVE:
            self._said = now
            self._say({"at": now, "alive": len(fresh(self.partitions, now))})

    def _ask_partitions(self, number: int) -> None:
        connection = self._connection(number)
        while True:
            try:
                told = connection.ask(METADATA, _METADATA_VERSION, request(self._topic), parse_topic)
                if told and self._min_isr is None:
                    self._min_isr = connection.min_isrs([self._topic]).get(self._topic)
                self.partitions[number] = time.time(), told
            except WireError:
                pass
            time.sleep(_PERIOD)

    def _ask_quorum(self, number: int) -> None:
        connection = self._connection(number)
        while True:
            with contextlib.suppress(WireError):
                self.quorums[number] = time.time(), connection.quorum()
            time.sleep(_PERIOD)

    def _connection(self, number: int) -> Connection:
        host, port = self._addresses[number]
        return Connection(host, int(port), _TIMEOUT, Tls(folder, host) if (folder := os.environ.get("TLS")) else None)


def _print(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    Monitor(sys.argv[1], sys.argv[2].split(","), _print).run()
