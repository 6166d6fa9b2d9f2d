"""The checker: a sidecar that says whether its Kafka node is in sync, and holds it back while it may not stop.

`/ready` answers the readiness probe of Kafka's container, `/status` tells what the node sees. Each look is one question
over the loopback to the broker and one to the quorum, by connections that are kept: no JVM, no new process.
"""

import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

from .environment import Environment
from .serve import Answer, as_json, serve
from .stop import Stop
from .verdict import unready, unsafe
from .watch import Watch, usage

_EVERY = 1.0  # seconds between two looks
_CLOSELY = 0.2  # while the node stops
_STALE = 10.0  # seconds after which the last look says nothing any more
_FILLING = (0.8, 0.9, 0.95)  # of a disk


class Checker:
    """What was seen last, looked at from two threads: the one that looks, and the one that answers probes."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._watch = Watch(environment)
        self.stop = Stop(environment.run, environment.grace_period, self._unsafe)
        self._reasons = ["nothing has been seen yet"]
        self._status: dict[str, Any] = {}
        self._looked = time.monotonic()
        self._level = 0

    def run(self) -> None:
        """Looks for ever."""
        while True:
            if not self.stop.is_asked:
                self._look()
            self.stop.step()
            time.sleep(_CLOSELY if self.stop.is_asked else _EVERY)

    def ready(self) -> Answer:
        """Whether the node is in sync."""
        age = time.monotonic() - self._looked
        reasons = self._reasons if age < _STALE else [f"the last look is {age:.0f} s old"]
        return not reasons, "; ".join(reasons) or "in sync"

    def status(self) -> Answer:
        """What was seen last."""
        return True, as_json(self._status)

    def _look(self) -> None:
        node, seen = self._watch.node, self._watch.look()
        reasons = unready(node, seen)
        if reasons != self._reasons:
            print("; ".join(reasons) or "in sync", flush=True)
        disks = usage(self._environment.disks)
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
        self._tell_filling(disks)

    def _tell_filling(self, disks: Any) -> None:
        fullest = max(disks.values(), default=0.0)
        level = sum(fullest >= threshold for threshold in _FILLING)
        if level > self._level:
            print(f"a disk is {fullest:.0%} full: grow kafka-ha:kafka.storage.size before Kafka stops", flush=True)
        self._level = level

    def _unsafe(self) -> list[str]:
        return unsafe(self._watch.node, self._watch.look(closely=True))


def main() -> None:
    """Looks and answers until SIGTERM, which a sidecar gets when Kafka has ended."""
    environment = Environment.read()
    checker = Checker(environment)

    def end(number: int, frame: FrameType | None) -> None:
        checker.stop.end()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=checker.run, daemon=True).start()
    serve(environment.health_port, {"/ready": checker.ready, "/status": checker.status})


if __name__ == "__main__":
    main()
