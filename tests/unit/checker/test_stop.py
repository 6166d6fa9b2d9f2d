"""A node that is asked to stop: held back, let go, and never two at once that the cluster could not do without."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from components.checker import stop, turn
from components.checker.kubernetes import ApiError
from components.checker.stop import Stop
from components.checker.turn import SHUTDOWN, Turn
from components.checker.verdict import Node, Observation, unsafe
from components.checker.wire import Metadata, Partition
from tests.unit.checker.api import FakeApi
from tests.unit.checker.clock import Clock

GRACE = 300.0
PATIENCE = 270.0


class FakeTurn:
    """`free`: whether it can be taken; `over`: whether the set is being deleted; `error`: what the API says instead."""

    def __init__(self) -> None:
        self.free, self.over, self.error = True, False, ""
        self.is_held = False
        self.given_back = 0

    def _ask(self) -> None:
        if self.error:
            raise ApiError(0, self.error)

    def take(self) -> bool:
        self._ask()
        self.is_held = self.free
        return self.free

    def give_back(self) -> None:
        self.is_held = False
        self._ask()
        self.given_back += 1

    def is_over(self) -> bool:
        self._ask()
        return self.over


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (stop, turn):
        monkeypatch.setattr(module, "time", clock)
    return clock


class Stopped:
    """A node that has been asked to stop, and what it finds: `reasons` not to."""

    def __init__(self, folder: Path, grace: float = GRACE) -> None:
        self.turn, self.reasons = FakeTurn(), ["1 partitions would fall under their minimum ISR, such as t-0"]
        self.file = folder / "may-stop"
        self.looks = 0
        self.stop = Stop(self.file, grace, self.turn, self.look)  # type: ignore[arg-type]

    def look(self) -> list[str]:
        self.looks += 1
        return self.reasons

    def goes(self) -> bool:
        self.stop.step()
        return self.file.exists()


@pytest.fixture
def node(tmp_path: Path, clock: Clock) -> Stopped:
    return Stopped(tmp_path)


Said = Callable[[], list[str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out.splitlines()


def test_it_is_held_back_until_it_may_stop(node: Stopped, said: Said) -> None:
    assert not node.goes()
    assert not node.goes()
    assert said() == [f"stop: is held back: {node.reasons[0]}"]
    assert not node.turn.is_held
    node.reasons = []
    assert node.goes()
    assert node.turn.is_held
    assert said() == ["stop: may stop"]


def test_it_looks_anew_in_its_turn(node: Stopped) -> None:
    """What it saw before, another may have changed, and that one is gone now."""
    safe_before = iter([[], ["thin"], ["thin"]])
    node.look = lambda: next(safe_before)  # type: ignore[method-assign]
    node.stop = Stop(node.file, GRACE, node.turn, node.look)  # type: ignore[arg-type]
    assert not node.goes()
    assert node.turn.is_held
    assert not node.goes()
    assert not node.turn.is_held  # others need not wait for one that can't go


def test_it_waits_for_its_turn(node: Stopped, said: Said) -> None:
    node.reasons, node.turn.free = [], False
    assert not node.goes()
    assert said() == ["stop: is held back: another node stops"]
    node.turn.free = True
    assert node.goes()


def test_a_turn_that_runs_out_while_it_looks(node: Stopped, clock: Clock) -> None:
    node.reasons = []

    def too_long() -> list[str]:
        node.turn.is_held = False
        return []

    node.stop = Stop(node.file, GRACE, node.turn, too_long)  # type: ignore[arg-type]
    assert not node.goes()


def test_without_an_answer_of_the_api_it_waits_until_the_deadline(node: Stopped, clock: Clock, said: Said) -> None:
    node.reasons, node.turn.error = [], "the Kubernetes API does not answer"
    assert not node.goes()
    clock.now += PATIENCE - 1
    assert not node.goes()
    clock.now += 2
    assert node.goes()
    assert said() == [
        "stop: is held back: the Kubernetes API does not answer",
        "stop: stops all the same, the grace period ends: the Kubernetes API does not answer",
    ]


@pytest.mark.parametrize(("grace", "patience"), [(300.0, 270.0), (60.0, 30.0), (40.0, 20.0)])
def test_the_deadline_leaves_time_for_a_controlled_shutdown(
    tmp_path: Path, clock: Clock, grace: float, patience: float
) -> None:
    node = Stopped(tmp_path, grace)
    clock.now += patience - 0.1
    assert not node.goes()
    clock.now += 0.2
    assert node.goes()


def test_all_go_when_it_is_over(node: Stopped) -> None:
    node.turn.over = True
    assert node.goes()


def test_the_turn_is_kept_until_kafka_has_ended(node: Stopped, clock: Clock, said: Said) -> None:
    node.reasons = []
    assert node.goes()
    looks = node.looks
    node.turn.is_held = False
    assert node.goes()
    assert (node.turn.is_held, node.looks) == (True, looks)
    node.turn.error = "no answer"
    assert node.goes()
    node.turn.error = ""
    begun = clock.now
    node.stop.end()
    assert (clock.now - begun, node.turn.given_back) == (1.0, 1)
    node.turn.error = "no answer"
    node.stop.end()
    assert said() == ["stop: may stop", "stop: no answer", "stop: no answer"]


class FakeFile:
    def __init__(self, clock: Clock) -> None:
        self._clock, self.touched = clock, inf

    def exists(self) -> bool:
        return self.touched < inf

    def touch(self) -> None:
        self.touched = self._clock.now


class Cluster(RuleBasedStateMachine):
    """Five brokers, partitions of three replicas and minimum ISR 2; all are asked to stop, start again and get in sync
    at any time, each at its own pace. Their steps interleave between the requests to the API too.
    """

    nodes = st.integers(0, 4)

    def __init__(self) -> None:
        super().__init__()
        self.api, self.clock = FakeApi(), Clock()
        self.patch = pytest.MonkeyPatch()
        for module in (stop, turn):
            self.patch.setattr(module, "time", self.clock)
        self.api.put("/apis/apps/v1/namespaces/kafka/statefulsets/kafka", {"spec": {"replicas": 5}})
        self.replicas = [tuple((first + more) % 5 for more in range(3)) for first in range(5)]
        self.in_sync = [set(replicas) for replicas in self.replicas]
        self.asked: dict[int, tuple[Stop, FakeFile]] = {}
        self.down: set[int] = set()

    def teardown(self) -> None:
        self.patch.undo()

    def unsafe(self, node: int) -> list[str]:
        places = zip(self.replicas, self.in_sync, strict=True)
        told = tuple(Partition("t", 0, -1, replicas, tuple(isr)) for replicas, isr in places)
        return unsafe(Node(node, broker=True, controller=False), Observation(Metadata(frozenset(), told)))

    @rule(node=nodes)
    def is_asked(self, node: int) -> None:
        if node not in self.asked and node not in self.down:
            pod = SimpleNamespace(pod=f"kafka-{node}", lease="kafka-stop", namespace="kafka", stateful_set="kafka")
            file = FakeFile(self.clock)
            mine = Stop(file, GRACE, Turn(pod, self.api), lambda: self.unsafe(node))  # type: ignore[arg-type]
            self.asked[node] = mine, file

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def goes_on(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(sorted(self.asked)))
        other = data.draw(st.sampled_from(sorted(self.asked)))
        if other != node:

            def amid() -> None:
                self.api.before = self.api.after = lambda: None
                self.asked[other][0].step()
                if self.asked[other][1].exists():
                    self.has_ended(other, gives_back=True)

            setattr(self.api, data.draw(st.sampled_from(["before", "after"])), amid)
        self.asked[node][0].step()
        self.api.before = self.api.after = lambda: None

    @rule(node=nodes, gives_back=st.booleans())
    def ends(self, node: int, gives_back: bool) -> None:
        if node in self.asked and self.asked[node][1].exists():
            self.has_ended(node, gives_back)

    def has_ended(self, node: int, gives_back: bool) -> None:
        """Kafka is gone: out of every ISR before the turn is given back, if it is."""
        for isr in self.in_sync:
            isr.discard(node)
        if gives_back:
            self.asked[node][0].end()
        del self.asked[node]
        self.down.add(node)

    @rule(node=nodes)
    def is_back_in_sync(self, node: int) -> None:
        if node in self.down:
            self.down.remove(node)
            for replicas, isr in zip(self.replicas, self.in_sync, strict=True):
                isr.update({node} & set(replicas))

    @rule(seconds=st.sampled_from([1, 6, 14, 29, 46]))
    def time_passes(self, seconds: float) -> None:
        """Nobody renews its turn meanwhile. Who was let go has ended before the kubelet kills it; others do not come to
        their deadline.
        """
        for node, (mine, file) in list(self.asked.items()):
            if file.exists() and self.clock.now + seconds > file.touched + SHUTDOWN:
                self.has_ended(node, gives_back=False)
            elif not file.exists() and self.clock.now + seconds > mine._deadline:
                del self.asked[node]
        self.clock.now += seconds

    @invariant()
    def writes_go_on(self) -> None:
        going = {node for node, (_, file) in self.asked.items() if file.exists()}
        assert all(len(isr - going) >= 2 for isr in self.in_sync)


TestCluster: Any = Cluster.TestCase
