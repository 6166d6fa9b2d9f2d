"""The checker: a sidecar that says whether its Kafka node is in sync, and holds it back while it may not stop.

`/ready` answers the readiness probe of Kafka's container, `/status` tells what the node sees, `/metrics` tells
Prometheus. Each look is one question over the loopback to the broker and one to the quorum, by connections that are
kept: no JVM, no new process. A checker that fails ends, so that the kubelet starts it anew.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .environment import Environment
from .log import Log
from .metrics import exposition
from .serve import Answer, listen, serve
from .verdict import unready, unsafe
from .watch import Watch, usage

_EVERY = 1.0  # seconds between two looks
_STALE = 15.0  # seconds after which the last look says nothing any more: longer than all questions together take
_FILLING = (0.8, 0.9, 0.95)  # of a disk
_SPARE = 0.02  # of a disk: emptied by so much it may fill again, and be told


class Checker:
    """Looks at the node, and answers from what it saw last."""

    def __init__(self, environment: Environment) -> None:
        self._disks = environment.disks
        self._watch = Watch(environment)
        self._reasons = ["nothing has been seen yet"]
        self._status: dict[str, Any] = {}
        self._looked = time.monotonic()
        self._level = 0
        self._log = Log()

    def look(self) -> None:
        """Looks once."""
        node, seen = self._watch.node, self._watch.look()
        reasons, disks = unready(node, seen), usage(self._disks)
        self._reasons, self._looked = reasons, time.monotonic()
        self._status = {
            "node": node.id,
            "directory": node.directory,
            "unready": reasons,
            "unsafe": unsafe(node, seen),
            "leader": seen.quorum.leader if seen.quorum else None,
            "voters": [[voter.node, voter.directory] for voter in seen.quorum.voters] if seen.quorum else [],
            "disks": {path: round(used, 3) for path, used in disks.items()},
        }
        self._log.say("; ".join(reasons) or "in sync", not reasons)
        self._tell_filling(disks)

    def ready(self) -> Answer:
        """Whether the node is in sync."""
        age = time.monotonic() - self._looked
        reasons = self._reasons if age < _STALE else [f"the last look is {age:.0f} s old"]
        return not reasons, "; ".join(reasons) or "in sync"

    def status(self) -> Answer:
        """What was seen last, for people and programs."""
        return True, json.dumps(self._status, sort_keys=True)

    def metrics(self) -> Answer:
        """For Prometheus."""
        return True, exposition(self._disks, self.ready()[0], self._watch.certificate_end)

    def _tell_filling(self, disks: Mapping[str, float]) -> None:
        fullest = max(disks.values(), default=0.0)
        level = sum(fullest >= threshold for threshold in _FILLING)
        if level > self._level:
            print(f"a disk is {fullest:.0%} full: grow kafka-ha:kafka.storage.size before Kafka stops", flush=True)
        if level > self._level or fullest + _SPARE < _FILLING[self._level - 1]:
            self._level = level


class Stopping:
    """The process that holds the node back (see `stop`), from when the preStop hook asks for it until Kafka has ended.
    One that dies is started anew; one that is no longer needed, since Kafka was started again in its pod, is ended.
    """

    def __init__(self, stopping: Path) -> None:
        self._asked = stopping
        self._process = 0

    def follow(self) -> None:
        """Starts and ends the process as the hook's file says."""
        if self._process and os.waitpid(self._process, os.WNOHANG)[0]:
            self._process = 0
        if not self._asked.exists():
            self.end()
        elif not self._process:
            command = [sys.executable, "-m", f"{__package__}.stop"]
            self._process = os.posix_spawn(sys.executable, command, os.environ)

    def end(self) -> None:
        """Ends the process, which gives the turn to the next node, and waits for that."""
        if self._process:
            os.kill(self._process, signal.SIGTERM)
            os.waitpid(self._process, 0)
            self._process = 0


def main() -> None:
    """Looks and answers until SIGTERM, which a sidecar gets when Kafka has ended."""
    environment = Environment.read()
    checker, stopping = Checker(environment), Stopping(environment.stopping)
    pages = {"/ready": checker.ready, "/status": checker.status, "/metrics": checker.metrics}
    server = threading.Thread(target=serve, args=(listen(environment.health_port), pages), daemon=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server.start()
    try:
        while server.is_alive():
            checker.look()
            stopping.follow()
            time.sleep(_EVERY)
    finally:
        stopping.end()
    sys.exit("nothing answers probes any more")


if __name__ == "__main__":
    main()
