"""Holds a node back that is asked to stop, until it may. `python3 -m checker.stop` runs from when the preStop hook
makes the file `stopping` until Kafka has ended; the hook waits for the file `may-stop`.

A node waits while its stop would bring a partition under its minimum ISR or the quorum under its majority. When it
would not, the node takes its turn (see `turn`) and looks anew: only what is seen in one's own turn still holds when
Kafka ends. While it has to wait it leaves the turn to others, whose stop may be what heals the cluster. Without an
answer of the Kubernetes API it waits too. At the deadline it is let go all the same: the kubelet would kill it soon
after, without the controlled shutdown that it still has time for.

A process of its own, so that the checker does not hold what it takes to talk to the API.
"""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .environment import Environment
from .kubernetes import Api, ApiError
from .log import Log
from .turn import SHUTDOWN, Turn
from .verdict import unsafe
from .watch import Watch

_AGAIN = 0.5  # seconds
_MIN_ISR_AGE = 5.0  # seconds
_SEEN = 1.0  # seconds after which every broker has the metadata of a finished controlled shutdown


class Stop:
    """The stop of one node. `unsafe` says why it may not stop, looking anew each time."""

    def __init__(self, may_stop: Path, grace_period: float, turn: Turn, unsafe: Callable[[], list[str]]) -> None:
        self._may_stop, self._turn, self._unsafe = may_stop, turn, unsafe
        self._deadline = time.monotonic() + max(grace_period - SHUTDOWN, grace_period / 2)
        self._log = Log()

    def step(self) -> None:
        """Goes as far as it can now; to be called until Kafka has ended."""
        if self._may_stop.exists():
            self._keep_turn()
        elif not (reasons := self._reasons()):
            self._let_go("may stop")
        elif time.monotonic() > self._deadline:
            self._let_go(f"stops all the same, the grace period ends: {'; '.join(reasons)}")
        else:
            self._log.say(f"stop: is held back: {'; '.join(reasons)}", "held back")

    def _reasons(self) -> list[str]:
        reasons = self._unsafe()
        try:
            if reasons:
                self._turn.give_back()
            elif not self._turn.take():
                reasons = ["another node stops"]
            else:
                reasons = self._unsafe() or ([] if self._turn.is_held else ["the turn has run out"])
            return [] if reasons and self._turn.is_over() else reasons
        except ApiError as error:
            return [*reasons, str(error)]

    def _let_go(self, how: str) -> None:
        self._log.say(f"stop: {how}", how)
        self._may_stop.touch()

    def _keep_turn(self) -> None:
        """One that was let go without its turn takes it now, if it can: no other should go at the same time."""
        try:
            self._turn.take()
        except ApiError as error:
            self._log.say(f"stop: {error}", "keeping the turn")

    def end(self) -> None:
        """Gives the turn to the next node, when Kafka has ended."""
        time.sleep(_SEEN)
        try:
            self._turn.give_back()
        except ApiError as error:
            self._log.say(f"stop: {error}", "giving the turn back")


def main() -> None:
    """Holds the node back until SIGTERM."""
    environment = Environment.read()
    watch = Watch(environment)
    turn = Turn(environment, Api())

    def unsafe_now() -> list[str]:
        return unsafe(watch.node, watch.look(_MIN_ISR_AGE))

    stop = Stop(environment.may_stop, environment.grace_period, turn, unsafe_now)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        while True:
            stop.step()
            time.sleep(_AGAIN)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.end()


if __name__ == "__main__":
    main()
