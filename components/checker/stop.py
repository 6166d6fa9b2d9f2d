"""Holds a node back that is asked to stop, until it may: what the preStop hook waits for.

The hook makes the file `stopping` and waits for `may-stop`. In between the node takes its turn (see `turn`), looks
anew, and waits while its stop would bring a partition under its minimum ISR or the quorum under its majority. At the
deadline it is let go all the same: the kubelet would kill it soon after, without the controlled shutdown that it
still has time for.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .turn import HELD

STOPPING, MAY_STOP = "stopping", "may-stop"
SHUTDOWN = 30.0  # seconds of the grace period that are kept for Kafka's controlled shutdown


class Stop:
    """The stop of one node. `unsafe` says why it may not stop, looking anew each time."""

    def __init__(self, run: Path, grace_period: float, unsafe: Callable[[], list[str]]) -> None:
        self._run, self._unsafe = run, unsafe
        self._patience = max(grace_period - SHUTDOWN, grace_period / 2)
        self._asked: float | None = None
        self._turn: int | None = None
        self._said = ""

    @property
    def is_asked(self) -> bool:
        """Whether the node has been asked to stop."""
        return self._asked is not None

    def step(self) -> None:
        """Goes as far as it can now; to be called several times a second once it `is_asked`."""
        if self._asked is None:
            if not (self._run / STOPPING).exists():
                return
            self._asked = time.monotonic()
            self._turn = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-m", f"{__package__}.turn"])
        if (self._run / MAY_STOP).exists():
            return
        reasons = self._reasons()
        if reasons and time.monotonic() - self._asked > self._patience:
            self._say(f"stops all the same, the grace period ends: {'; '.join(reasons)}")
            reasons = []
        if reasons:
            self._say(f"is held back: {'; '.join(reasons)}")
            return
        self._say("may stop")
        (self._run / MAY_STOP).touch()

    def _reasons(self) -> list[str]:
        try:
            turn = (self._run / HELD).read_text()
        except OSError:
            return ["another node stops, or the Kubernetes API does not answer"]
        return [] if turn == "over" else self._unsafe()

    def end(self) -> None:
        """Gives the turn to the next node, when Kafka has ended."""
        if self._turn is not None:
            os.kill(self._turn, signal.SIGTERM)
            os.waitpid(self._turn, 0)

    def _say(self, what: str) -> None:
        if what != self._said:
            print(f"stop: {what}", flush=True)
        self._said = what
