"""Holds a node back that is asked to stop, until it may. `python3 -m checker.stop` runs from when the preStop hook
makes the file `stopping` until Kafka has ended; the hook waits for the file `may-stop`.

A node waits while its stop would bring a partition under its minimum ISR or the quorum under its majority. When it
would not, the node takes its turn (see `turn`) and looks anew: only what is seen in one's own turn still holds when
Kafka ends. While it has to wait it leaves the turn to others, whose stop may be what heals the cluster. Without an
answer of the Kubernetes API it waits too. At the deadline it is let go all the same: the kubelet would kill it soon
after, without the controlled shutdown that it still has time for.

Who had the turn before may still look alive. A broker does not: a controlled shutdown ends when all brokers know of it;
one that was killed leaves its turn to run out, which takes longer than its session. A voter does, until its last fetch
is old: so only those count that have fetched since the turn began.

Where all nodes go, the slowest may find no quorum any more for its controlled shutdown, and Kafka would wait for one as
long as the grace period is. Nobody waits for that node, and what it has written is the operating system's to keep: so
it is killed.

A process of its own, so that the checker does not hold what it takes to talk to the API.
"""

import signal
import sys
import time

from .environment import Environment
from .kubernetes import Api, ApiError
from .leave import leave
from .log import Log
from .turn import SHUTDOWN, Turn
from .verdict import QUORUM_PATIENCE, unsafe
from .watch import Watch

_AGAIN = 0.5  # seconds
_MIN_ISR_AGE = 5.0  # seconds
_CLEAN = ".kafka_cleanshutdown"  # the file by which Kafka knows that it did not crash


class Stop:
    """The stop of one node."""

    def __init__(self, environment: Environment, watch: Watch, turn: Turn) -> None:
        self._environment, self._watch, self._turn = environment, watch, turn
        grace = environment.grace_period
        self._deadline = time.monotonic() + max(grace - SHUTDOWN, grace / 2)
        self._began: tuple[int, int] | None = None
        """When the turn began: the quorum's epoch, and the time by the clock of its leader."""
        self._let_go_at: float | None = None
        """When it was first seen to be let go. Not by the file's time, which is of another clock."""
        self._log = Log()

    def step(self) -> None:
        """Goes as far as it can now; to be called until Kafka has ended."""
        if self._environment.may_stop.exists():
            self._see_it_end()
        elif not (reasons := self._reasons()):
            self._let_go("may stop")
        elif time.monotonic() > self._deadline:
            self._let_go(f"stops all the same, the grace period ends: {'; '.join(reasons)}")
        else:
            self._log.say(f"stop: is held back: {'; '.join(reasons)}", "held back")

    def _reasons(self) -> list[str]:
        reasons = unsafe(self._watch.node, self._watch.look(_MIN_ISR_AGE))
        if reasons or not self._turn.is_held:
            self._began = None
        try:
            if reasons:
                self._turn.give_back()
            elif self._turn.take():
                reasons = self._reasons_in_turn()
            else:
                reasons = ["another node stops"]
            return [] if reasons and self._turn.is_over() else reasons
        except ApiError as error:
            return [*reasons, str(error)]

    def _reasons_in_turn(self) -> list[str]:
        node, seen = self._watch.node, self._watch.look(_MIN_ISR_AGE)
        if reasons := unsafe(node, seen):
            return reasons
        if seen.quorum and (self._began is None or self._began[0] != seen.quorum.epoch):
            self._began = seen.quorum.epoch, seen.quorum.now + int(seen.quorum_age * 1000)
        if self._began and unsafe(node, seen, self._began[1]):
            return ["it is not known yet which voters are alive"]
        return [] if self._turn.is_held else ["the turn has run out"]

    def _let_go(self, how: str) -> None:
        self._log.say(f"stop: {how}", how)
        self._environment.may_stop.touch()

    def _see_it_end(self) -> None:
        """Keeps the turn until Kafka has ended, also for one that was let go without it: no other should go at the same
        time. Has Kafka killed where it would not end.
        """
        try:
            self._turn.take()
            if self._waits_in_vain():
                self._log.say("stop: is killed: all nodes go, and Kafka waits for a quorum", "killed")
                self._environment.must_stop.touch()
        except ApiError as error:
            self._log.say(f"stop: {error}", "keeping the turn")

    def _waits_in_vain(self) -> bool:
        """Whether Kafka waits for a quorum that won't come back. Its broker answers as long as it waits, and no longer
        when it closes its logs, for which it has its time. Raises ApiError.
        """
        self._let_go_at = self._let_go_at or time.monotonic()
        seen = self._watch.look(_MIN_ISR_AGE)
        waits = min(seen.quorum_age, time.monotonic() - self._let_go_at)
        return waits > QUORUM_PATIENCE and not seen.trouble and self._turn.is_over()

    def end(self) -> None:
        """Gives the turn to the next node, when Kafka has ended."""
        if self._environment.node.broker and not (self._environment.logs / _CLEAN).exists():
            self._log.say("stop: Kafka did not end by itself: the turn runs out", "killed")
            return
        try:
            self._turn.give_back()
        except ApiError as error:
            self._log.say(f"stop: {error}", "giving the turn back")


def main() -> None:
    """Holds the node back until SIGTERM."""
    environment, api = Environment.read(), Api()
    stop = Stop(environment, Watch(environment), Turn(environment, api))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        while True:
            stop.step()
            time.sleep(_AGAIN)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        leave(environment, api)  # before another node's turn
        stop.end()


if __name__ == "__main__":
    main()
