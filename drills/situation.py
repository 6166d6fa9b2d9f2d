"""How things stand while a drill runs: what the events so far add up to, and waiting for it to change."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

from drills.model import (
    Acknowledged,
    BudgetState,
    Consumed,
    Event,
    NodeState,
    Note,
    PartitionState,
    Phase,
    PodState,
    QuorumState,
    Read,
    SendFailed,
    Trouble,
)

_RATE_SECONDS = 2.0
_LATEST_NOTES = 8
_LOOK_SECONDS = 0.05


class Situation:
    """The latest of everything. Threads may share it; what is read are the latest states, replaced as a whole."""

    def __init__(self) -> None:
        self.phase: Phase | None = None
        self.partitions: dict[int, PartitionState] = {}
        self.pods: dict[str, PodState] = {}
        self.nodes: dict[str, NodeState] = {}
        self.budgets: dict[str, BudgetState] = {}
        self.quorum: QuorumState | None = None
        self.acknowledged = 0
        self.errors: Counter[str] = Counter()
        self.ends: dict[int, int] = {}
        """By partition: the offset after the last record that was acknowledged."""
        self.consumed: dict[int, int] = {}
        """By partition: the offset after the last record that the group got."""
        self.read: dict[int, int] = {}
        """By partition: the offset after the last record of the final read."""
        self.longest_gaps: dict[int, float] = {}
        """By partition: seconds of the longest time between two acknowledgements since the fault."""
        self.last_acknowledged: dict[int, float] = {}
        self.notes: deque[Note] = deque(maxlen=_LATEST_NOTES)
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, event: Event) -> None:
        """Something happened."""
        with self._lock:
            match event:
                case Acknowledged():
                    self._acknowledged(event)
                case SendFailed():
                    self.errors[event.error] += 1
                case Consumed():
                    self.consumed[event.partition] = max(self.consumed.get(event.partition, 0), event.last + 1)
                case Read():
                    self.read[event.partition] = max(self.read.get(event.partition, 0), event.offset + 1)
                case PartitionState():
                    self.partitions = self.partitions | {event.partition: event}
                case PodState():
                    self.pods = self.pods | {event.name: event}
                case NodeState():
                    self.nodes = self.nodes | {event.name: event}
                case BudgetState():
                    self.budgets = self.budgets | {event.name: event}
                case QuorumState():
                    self.quorum = event
                case Phase():
                    self.phase = event
                    if event.name == "fault":
                        self.longest_gaps = {}
                case Note():
                    self.notes.append(event)
                case Trouble():
                    self.notes.append(Note(at=event.at, text=f"{event.outcome.value}: {event.detail}"))
                case _:
                    pass

    def _acknowledged(self, event: Acknowledged) -> None:
        self.acknowledged += 1
        self.ends[event.partition] = max(self.ends.get(event.partition, 0), event.offset + 1)
        last = self.last_acknowledged.get(event.partition)
        if last is not None:
            gap = event.at - last
            self.longest_gaps[event.partition] = max(self.longest_gaps.get(event.partition, 0.0), gap)
        self.last_acknowledged[event.partition] = event.at
        self._recent.append(event.at)
        while event.at - self._recent[0] > _RATE_SECONDS:
            self._recent.popleft()

    def rate(self, now: float) -> float:
        """Acknowledgements a second, of late."""
        with self._lock:
            return sum(now - at <= _RATE_SECONDS for at in self._recent) / _RATE_SECONDS

    def wait(self, holds: Callable[[], bool], seconds: float, steady: float = 0.0) -> bool:
        """Waits until it holds, for `steady` seconds at a stretch; whether that stretch begins within `seconds`."""
        since = time.monotonic()
        deadline = since + seconds
        while True:
            now = time.monotonic()
            if not holds():
                since = now
                if now > deadline:
                    return False
            elif now - since >= steady:
                return True
            time.sleep(_LOOK_SECONDS)

    @property
    def full_isr(self) -> bool:
        """Whether every replica of every partition is in sync, and each has a leader."""
        states = self.partitions.values()
        return bool(states) and all(one.leader is not None and set(one.isr) >= set(one.replicas) for one in states)

    def pods_ready(self, names: tuple[str, ...]) -> bool:
        """Whether these are ready and none is on its way out."""
        found = [self.pods.get(name) for name in names]
        return all(one is not None and one.ready and not one.terminating for one in found)
