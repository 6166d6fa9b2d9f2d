"""One drill as scenarios and faults see it: the cluster, how things stand, what was asked for, and how to wait."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from drills.errors import NotApplicable, NotInTime
from drills.kubernetes import Answer, Kubernetes
from drills.machines import Machines
from drills.model import Event, EvictionAnswer, Note
from drills.situation import Situation
from drills.target import Target

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What a user may ask of every drill."""

    hold: float = 10.0
    """Seconds that a fault lasts, where it does not end by itself."""
    upgrade_image: str | None = None
    """Kafka's image that `rolling-upgrade` changes to, and back."""
    rounds: int | None = None
    """Of `random`."""
    seed: int = 0
    """Of what is chosen at random."""


@dataclass
class Drill:
    """`take` gets every event."""

    kubernetes: Kubernetes
    target: Target
    machines: Machines
    situation: Situation
    take: Callable[[Event], None]
    options: Options = field(default_factory=Options)
    load_node: str | None = None
    """Where the drill's own pod is: no fault takes that node."""
    at_random: bool = False
    """Whether brokers are chosen at random, where there is a choice; else the first."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.options.seed)
        self._faults = ExitStack()

    def say(self, text: str) -> None:
        """A step, for the reader."""
        self.take(Note(at=time.time(), text=text))

    def wait(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Waits until it holds. Raises NotInTime with `what` after so many seconds."""
        if not self.situation.wait(holds, seconds):
            raise NotInTime(f"not within {seconds:.0f} s: {what}.")

    def hold(self, seconds: float | None = None) -> None:
        """Leaves things as they are for a while: `--hold`, unless said otherwise."""
        time.sleep(self.options.hold if seconds is None else seconds)

    def start(self, fault: AbstractContextManager[T]) -> T:
        """Begins a fault, which lasts until `heal`."""
        return self._faults.enter_context(fault)

    def heal(self) -> None:
        """Undoes all faults that were started, the last first."""
        self._faults.close()

    def evict(self, namespace: str, pod: str) -> Answer:
        """Asks for an eviction, and records the answer."""
        answer = self.kubernetes.evict(namespace, pod)
        self.take(EvictionAnswer(at=time.time(), pod=pod, granted=answer.granted, message=answer.message))
        return answer

    def node_of(self, pod: str) -> str:
        """The Kubernetes node of one of Kafka's pods. Raises NotApplicable while it has none."""
        state = self.situation.pods.get(pod)
        if state is None or not state.node:
            raise NotApplicable(f"{pod} is on no node now.")
        return state.node

    def zone_of(self, node: str) -> str:
        """Of a Kubernetes node; empty where it has none."""
        state = self.situation.nodes.get(node)
        return state.zone if state else ""

    def leaders(self) -> list[int]:
        """Brokers that lead a partition of the load's topic, by partition, each once."""
        states = sorted(self.situation.partitions.items())
        return list(dict.fromkeys(state.leader for _, state in states if state.leader is not None))

    def leader(self) -> str:
        """The pod of a leader."""
        return self.target.pod_of(self._chosen(self.leaders(), "no partition has a leader now."))

    def leader_on_a_spare_node(self) -> str:
        """The pod of a leader whose node a fault may take. Raises NotApplicable when there is none."""
        spare = [one for one in self.leaders() if self.is_spare(self.target.pod_of(one))]
        return self.target.pod_of(self._chosen(spare, self._nothing_spare))

    def other_on_a_spare_node(self, than: str) -> str:
        """The pod of another broker whose node a fault may take. Raises NotApplicable when there is none."""
        pods = [self.target.pod_of(broker) for broker in self.target.brokers]
        node = self.node_of(than)
        spare = [pod for pod in pods if self.is_spare(pod) and self.node_of(pod) != node]
        return self._chosen(spare, self._nothing_spare)

    def is_spare(self, pod: str) -> bool:
        """Whether faults may take the pod's node."""
        state = self.situation.pods.get(pod)
        return state is not None and bool(state.node) and state.node != self.load_node

    @property
    def _nothing_spare(self) -> str:
        return f"the drill's own pod has to run on {self.load_node}, and no other node has a broker to take."

    def _chosen(self, candidates: list[T], nothing: str) -> T:
        if not candidates:
            raise NotApplicable(nothing)
        return self.random.choice(candidates) if self.at_random else candidates[0]
