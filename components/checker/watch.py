"""Observes one node: its broker over the loopback, the quorum through its broker or the controllers' own addresses."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf
from pathlib import Path

from .environment import Environment
from .prepare import read_properties
from .verdict import Node, Observation
from .wire import Connection, Quorum, WireError

_SECONDS = 3.0  # for an answer
_MIN_ISRS_EVERY = 30.0  # seconds: a topic's minimum ISR seldom changes


class Watch:
    """Looks, and remembers what it saw when there is no answer."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._broker = Connection("127.0.0.1", environment.client_port, _SECONDS) if environment.node.broker else None
        self._controllers = [Connection(host, port, _SECONDS) for host, port in environment.controllers]
        self._seen = Observation()
        self._answered = self._led = self._configured = -inf

    @property
    def node(self) -> Node:
        """The node, with its disk's id once it is formatted."""
        try:
            directory = read_properties(self._environment.meta_properties).get("directory.id", "")
        except OSError:
            directory = ""
        return replace(self._environment.node, directory=directory)

    def look(self, *, closely: bool = False) -> Observation:
        """What is to be seen now. `closely`: the topics' minimum ISRs too, which are asked for only now and then."""
        seen = self._seen
        if self._broker:
            seen = self._ask_broker(self._broker, seen, closely)
        try:
            seen = replace(seen, quorum=self._quorum())
            self._led = time.monotonic()
        except WireError:
            pass  # the age tells
        now = time.monotonic()
        self._seen = replace(seen, metadata_age=now - self._answered, quorum_age=now - self._led)
        return self._seen

    def _ask_broker(self, broker: Connection, seen: Observation, closely: bool) -> Observation:
        try:
            metadata = broker.metadata()
            topics = {partition.topic for partition in metadata.partitions}
            self._answered = time.monotonic()
            if closely or topics != set(seen.min_isrs) or self._answered - self._configured > _MIN_ISRS_EVERY:
                seen = replace(seen, min_isrs=broker.min_isrs(topics) if topics else {})
                self._configured = self._answered
        except WireError as error:
            return replace(seen, trouble=str(error))
        return replace(seen, metadata=metadata, trouble="")

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
            if controller is not self._controllers[0]:
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
