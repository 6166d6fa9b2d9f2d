"""Observes one node: its broker over the loopback, the quorum through its broker or the controllers' own addresses."""

import os
import time
from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path

from .environment import Environment
from .verdict import Node, Observation
from .wire import Connection, Quorum, Silent, WireError

_SECONDS = 3.0  # for an answer of the broker
_CONTROLLER_SECONDS = 1.0  # for one of a controller: several may be gone, and are asked one after the other
_SELDOM = 30.0  # seconds: how old a topic's minimum ISR may be


class Watch:
    """Looks, and remembers what it saw when there is no answer."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._broker = environment.own_connection(_SECONDS) if environment.node.broker else None
        self._controllers = [
            environment.connection(host, port, _CONTROLLER_SECONDS) for host, port in environment.controllers
        ]
        self._seen = Observation()
        self._answered = time.monotonic()
        self._led = self._configured = -inf
        self._topics: set[str] = set()

    @property
    def node(self) -> Node:
        """The node, with its disk's id once it is formatted."""
        try:
            properties = self._environment.properties() or {}
        except OSError:
            properties = {}
        return self._environment.node._replace(directory=properties.get("directory.id", ""))

    @property
    def certificate_end(self) -> float | None:
        """When the certificate ends that Kafka shows, in seconds since the epoch; None without TLS."""
        return (self._broker or self._controllers[0]).certificate_end

    def look(self, min_isr_age: float = _SELDOM) -> Observation:
        """What is to be seen now. `min_isr_age`: how old, in seconds, the topics' minimum ISRs may be."""
        seen = self._seen
        if self._broker:
            seen = self._ask_broker(self._broker, seen, min_isr_age)
        try:
            seen = seen._replace(quorum=self._quorum())
            self._led = time.monotonic()
        except WireError:
            pass  # the age tells
        now = time.monotonic()
        self._seen = seen._replace(metadata_age=now - self._answered, quorum_age=now - self._led)
        return self._seen

    def _ask_broker(self, broker: Connection, seen: Observation, min_isr_age: float) -> Observation:
        now = time.monotonic()
        try:
            metadata = broker.metadata()
            topics = {partition.topic for partition in metadata.partitions}
            if topics != self._topics or now - self._configured > min_isr_age:
                seen = seen._replace(min_isrs=broker.min_isrs(sorted(topics)) if topics else {})
                self._topics, self._configured = topics, now
            seen = seen._replace(metadata=metadata, trouble="")
        except Silent as silence:
            return seen._replace(trouble=str(silence))
        except WireError as error:
            seen = seen._replace(trouble=str(error))
        self._answered = now
        return seen

    def _quorum(self) -> Quorum:
        """Asks the broker, which passes it on to the leader: so that one that is cut off from it shows. A controller
        has no such way and asks them all; the one that answered goes first next time.
        """
        if self._broker and not self._environment.node.controller:
            return self._broker.quorum()
        trouble = WireError("there are no controllers")
        for controller in self._controllers:
            try:
                quorum = controller.quorum()
            except WireError as error:
                trouble = error
                continue
            self._controllers.remove(controller)
            self._controllers.insert(0, controller)
            return quorum
        raise trouble


def usage(disks: Iterable[Path]) -> Mapping[str, float]:
    """How full each disk is, 0 to 1; one that can't be asked is left out."""
    used = {}
    for disk in disks:
        try:
            found = os.statvfs(disk)
        except OSError:
            continue
        used[str(disk)] = 1 - found.f_bavail / max(found.f_blocks - found.f_bfree + found.f_bavail, 1)
    return used
