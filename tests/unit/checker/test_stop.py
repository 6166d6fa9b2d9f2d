"""A node that is asked to stop: held back, let go, and never two at once that the cluster could not do without."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from components.checker import stop, turn
from components.checker.environment import Environment
from components.checker.kubernetes import ApiError
from components.checker.stop import Stop
from components.checker.turn import SHUTDOWN, Turn
from components.checker.verdict import Node, Observation
from components.checker.wire import Metadata, Partition, Quorum, Replica
from tests.unit.checker.api import FakeApi
from tests.unit.checker.environment import environment
from tests.unit.clock import Clock

PATIENCE = 270.0  # seconds of the default grace period


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


class FakeWatch:
    """What a combined node sees: `isr` of the only partition; of three voters, which node 1 leads, how many ms ago each
    was `heard` of; `now` by the leader's clock.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self.isr: tuple[int, ...] = (0, 1, 2)
        self.now, self.epoch, self.heard = 1_000_000, 4, (300, 0, 400)
        self.quorum_age, self.trouble = 0.0, ""
        self.looks = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def look(self, min_isr_age: float) -> Observation:
        assert min_isr_age < 10
        self.looks += 1
        self.meanwhile()
        voters = tuple(Replica(node, "", self.now - ago) for node, ago in enumerate(self.heard))
        places = (Partition("t", 0, -1, (0, 1, 2), self.isr),)
        quorum = Quorum(1, self.epoch, voters)
        return Observation(
            Metadata(frozenset(), places), quorum=quorum, quorum_age=self.quorum_age, trouble=self.trouble
        )


class Stopped:
    """A node that has been asked to stop."""

    def __init__(self, pod: Environment) -> None:
        self.pod, self.turn, self.watch = pod, FakeTurn(), FakeWatch(pod.node)
        self.stop = Stop(pod, self.watch, self.turn)  # type: ignore[arg-type]

    def goes(self) -> bool:
        """Whether it is let go by now; then a second passes, in which the other voters are heard of."""
        self.stop.step()
        self.watch.now += 1000
        return self.pod.may_stop.exists()


@pytest.fixture
def node(tmp_path: Path, clock: Clock) -> Stopped:
    return Stopped(environment(tmp_path))


@pytest.fixture
def broker(tmp_path: Path, clock: Clock) -> Stopped:
    """One without a voter."""
    pod = environment(tmp_path)
    return Stopped(pod._replace(node=pod.node._replace(controller=False)))


Said = Callable[[], list[str]]
THIN = "1 partitions would fall under their minimum ISR, such as t-0"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out.splitlines()


def test_it_is_held_back_until_it_may_stop(broker: Stopped, said: Said) -> None:
    broker.watch.isr = (0, 1)
    assert not broker.goes()
    assert not broker.goes()
    assert said() == [f"stop: is held back: {THIN}"]
    assert not broker.turn.is_held
    broker.watch.isr = (0, 1, 2)
    assert broker.goes()
    assert broker.turn.is_held
    assert said() == ["stop: may stop"]


def test_it_looks_anew_in_its_turn(broker: Stopped) -> None:
    """What it saw before, another may have changed, and that one is gone now."""

    def another_is_gone() -> None:
        broker.watch.isr = (0, 1) if broker.turn.is_held else (0, 1, 2)

    broker.watch.meanwhile = another_is_gone
    assert not broker.goes()
    assert broker.turn.is_held
    broker.watch.meanwhile = lambda: None
    assert not broker.goes()
    assert not broker.turn.is_held  # others need not wait for one that can't go


def test_voters_count_that_were_heard_of_in_its_turn(node: Stopped, said: Said) -> None:
    """One that had the turn before, and ended with it, looks alive until its last fetch is old."""
    assert not node.goes()
    assert said() == ["stop: is held back: it is not known yet which voters are alive"]
    node.watch.heard = (300, 0, 1400)  # silent since
    assert not node.goes()
    assert node.turn.is_held
    node.watch.heard = (300, 0, 400)
    assert node.goes()


def test_the_clock_of_another_leader_is_another(node: Stopped) -> None:
    assert not node.goes()
    node.watch.now, node.watch.epoch = 500_000, 5
    assert not node.goes()
    assert node.goes()


def test_it_waits_for_its_turn(broker: Stopped, said: Said) -> None:
    broker.turn.free = False
    assert not broker.goes()
    assert said() == ["stop: is held back: another node stops"]
    broker.turn.free = True
    assert broker.goes()


def test_what_was_seen_in_a_turn_before_does_not_count(node: Stopped) -> None:
    assert not node.goes()
    node.turn.is_held = False  # it ran out, and may have been another's since
    node.watch.heard = (300, 0, 500)
    assert not node.goes()
    node.watch.heard = (300, 0, 1500)
    assert not node.goes()
    assert node.turn.is_held


def test_a_turn_that_runs_out_while_it_looks(broker: Stopped, said: Said) -> None:
    def too_long() -> None:
        broker.turn.is_held = False

    broker.watch.meanwhile = too_long
    assert not broker.goes()
    assert said() == ["stop: is held back: the turn has run out"]


def test_without_an_answer_of_the_api_it_waits_until_the_deadline(broker: Stopped, clock: Clock, said: Said) -> None:
    broker.turn.error = "the Kubernetes API does not answer"
    assert not broker.goes()
    clock.now += PATIENCE - 1
    assert not broker.goes()
    clock.now += 2
    assert broker.goes()
    assert said() == [
        "stop: is held back: the Kubernetes API does not answer",
        "stop: stops all the same, the grace period ends: the Kubernetes API does not answer",
    ]


@pytest.mark.parametrize(("grace", "patience"), [(300.0, 270.0), (60.0, 30.0), (40.0, 20.0)])
def test_the_deadline_leaves_time_for_a_controlled_shutdown(
    tmp_path: Path, clock: Clock, grace: float, patience: float
) -> None:
    node = Stopped(environment(tmp_path)._replace(grace_period=grace))
    node.watch.isr = (0,)
    clock.now += patience - 0.1
    assert not node.goes()
    clock.now += 0.2
    assert node.goes()


@pytest.mark.parametrize("free", [True, False])
def test_all_go_when_it_is_over(node: Stopped, free: bool) -> None:
    node.turn.over, node.turn.free = True, free
    assert node.goes()


def test_one_that_waits_for_a_quorum_in_vain_is_killed(node: Stopped, clock: Clock, said: Said) -> None:
    node.turn.over, node.watch.quorum_age = True, inf
    assert node.goes()
    assert node.goes()
    clock.now += 15
    assert node.goes()
    assert not node.pod.must_stop.exists(), "it may be an election"
    clock.now += 1
    assert node.goes()
    assert node.pod.must_stop.exists()
    assert said() == ["stop: may stop", "stop: is killed: all nodes go, and Kafka waits for a quorum"]


@pytest.mark.parametrize(
    ("over", "quorum_age", "trouble"),
    [
        (False, 600.0, ""),  # the others stay, or come back
        (True, 14.0, ""),
        (True, 600.0, "127.0.0.1:9092 does not answer"),  # it closes its logs
    ],
)
def test_no_other_is_killed(node: Stopped, clock: Clock, over: bool, quorum_age: float, trouble: str) -> None:
    node.pod.may_stop.touch()
    node.turn.over, node.watch.quorum_age, node.watch.trouble = over, quorum_age, trouble
    for _ in range(60):
        assert node.goes()
        clock.now += 1
    assert not node.pod.must_stop.exists()


def test_the_turn_is_kept_until_kafka_has_ended(broker: Stopped, said: Said) -> None:
    assert broker.goes()
    broker.turn.is_held = False
    assert broker.goes()
    assert broker.turn.is_held
    broker.turn.error = "no answer"
    assert broker.goes()
    assert said() == ["stop: may stop", "stop: no answer"]


def test_the_turn_is_given_to_the_next(broker: Stopped, said: Said) -> None:
    assert broker.goes()
    said()
    broker.stop.end()
    assert broker.turn.given_back == 0  # killed: it is in its ISRs until its session ends
    assert said() == ["stop: Kafka did not end by itself: the turn runs out"]
    broker.pod.logs.mkdir()
    (broker.pod.logs / ".kafka_cleanshutdown").touch()
    broker.stop.end()
    assert broker.turn.given_back == 1
    broker.turn.error = "no answer"
    broker.stop.end()
    assert said() == ["stop: no answer"]


def test_the_voter_is_out_before_another_nodes_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def asked_to_end() -> None:
        raise SystemExit

    ending = SimpleNamespace(step=asked_to_end, end=lambda: done.append("turn"))
    monkeypatch.setattr(stop, "Environment", SimpleNamespace(read=lambda: None))
    for name in ("Api", "Watch", "Turn"):
        monkeypatch.setattr(stop, name, lambda *arguments: None)
    monkeypatch.setattr(stop, "Stop", lambda *arguments: ending)
    monkeypatch.setattr(stop, "leave", lambda environment, api: done.append("voter"))
    monkeypatch.setattr(stop, "signal", SimpleNamespace(SIGTERM=0, SIG_IGN=0, signal=lambda *arguments: None))
    with pytest.raises(SystemExit):
        stop.main()
    assert done == ["voter", "turn"]


def test_a_controller_gives_it_back_however_it_ends(tmp_path: Path, clock: Clock) -> None:
    pod = environment(tmp_path)
    controller = Stopped(pod._replace(node=pod.node._replace(broker=False)))
    controller.stop.end()
    assert controller.turn.given_back == 1


SESSION = 9  # seconds after which a killed broker is out of every ISR
FETCH = 0.4  # seconds between two fetches of a voter


class Nodes(RuleBasedStateMachine):
    """Five nodes; all are asked to stop, end or are killed, start again and get in sync at any time, each at its own
    pace. Their steps interleave between the requests to the API too.
    """

    broker = controller = False
    nodes = st.integers(0, 4)

    def __init__(self) -> None:
        super().__init__()
        self.api, self.clock = FakeApi(), Clock()
        self.patch = pytest.MonkeyPatch()
        for module in (stop, turn):
            self.patch.setattr(module, "time", self.clock)
        self.api.put("/apis/apps/v1/namespaces/kafka/statefulsets/kafka", {"spec": {"replicas": 5}})
        self.asked: dict[int, tuple[Stop, FakePod]] = {}
        self.down: dict[int, tuple[float, bool]] = {}
        """When each node that is down went, and whether it was killed."""

    def teardown(self) -> None:
        self.patch.undo()

    def look(self, min_isr_age: float) -> Observation:
        """What all see: the leader of the quorum is up, whoever that is."""
        now = self.clock.now
        out = {node for node, (went, killed) in self.down.items() if not killed or now - went > SESSION}
        replicas = [tuple((first + more) % 5 for more in range(3)) for first in range(5)]
        places = (Partition("t", 0, -1, each, tuple(set(each) - out)) for each in replicas)
        heard = {node: self.down[node][0] if node in self.down else now - FETCH for node in range(5)}
        voters = (Replica(node, "", int(at * 1000)) for node, at in heard.items())
        leader = Replica(9, "", int(now * 1000))
        return Observation(Metadata(frozenset(), tuple(places)), quorum=Quorum(9, 4, (*voters, leader)), quorum_age=0.0)

    @rule(node=nodes)
    def is_asked(self, node: int) -> None:
        if node not in self.asked and node not in self.down:
            pod = FakePod(Node(node, self.broker, self.controller), self.clock)
            watch = FakeWatch(pod.node)
            watch.look = self.look  # type: ignore[method-assign]
            self.asked[node] = Stop(pod, watch, Turn(pod, self.api)), pod  # type: ignore[arg-type]

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
                    self.has_ended(other, is_killed=False)

            setattr(self.api, data.draw(st.sampled_from(["before", "after"])), amid)
        self.asked[node][0].step()
        self.api.before = self.api.after = lambda: None

    @precondition(lambda self: self.let_go)
    @rule(data=st.data(), is_killed=st.booleans())
    def ends(self, data: st.DataObject, is_killed: bool) -> None:
        self.has_ended(data.draw(st.sampled_from(self.let_go)), is_killed)

    @property
    def let_go(self) -> list[int]:
        return [node for node, (_, pod) in self.asked.items() if pod.exists()]

    def has_ended(self, node: int, is_killed: bool) -> None:
        mine, pod = self.asked.pop(node)
        self.down[node] = self.clock.now, is_killed
        pod.is_clean = not is_killed
        mine.end()

    @precondition(lambda self: self.down)
    @rule(data=st.data())
    def is_back_in_sync(self, data: st.DataObject) -> None:
        del self.down[data.draw(st.sampled_from(sorted(self.down)))]

    @rule(seconds=st.sampled_from([0.5, 1, 6, 14, 29, 46]))
    def time_passes(self, seconds: float) -> None:
        """Nobody renews its turn meanwhile. Who was let go has ended before the kubelet kills it; others do not come to
        their deadline.
        """
        for node, (mine, pod) in list(self.asked.items()):
            if pod.exists() and self.clock.now + seconds > pod.let_go + SHUTDOWN:
                self.has_ended(node, is_killed=True)
            elif not pod.exists() and self.clock.now + seconds > mine._deadline:
                del self.asked[node]
        self.clock.now += seconds

    @invariant()
    def all_goes_on(self) -> None:
        gone = {*self.down, *self.let_go}
        if self.broker:
            assert all(len({first, (first + 1) % 5, (first + 2) % 5} - gone) >= 2 for first in range(5))
        if self.controller:
            assert 6 - len(gone) > 3, "the quorum, of these five and its leader, has lost its majority"


class FakePod:
    """As much of an environment as a stop takes, its files included."""

    lease, namespace, stateful_set, grace_period = "kafka-stop", "kafka", "kafka", 300.0

    def __init__(self, node: Node, clock: Clock) -> None:
        self.node, self.pod = node, f"kafka-{node.id}"
        self.may_stop = self.logs = self
        self.let_go = 0.0
        self.is_clean: bool | None = None
        self._clock = clock

    def __truediv__(self, name: str) -> "FakePod":
        return self

    def exists(self) -> bool:
        return self.let_go > 0 if self.is_clean is None else self.is_clean

    def touch(self) -> None:
        self.let_go = self._clock.now


class Brokers(Nodes):
    broker = True


class Controllers(Nodes):
    controller = True


TestBrokers, TestControllers = Brokers.TestCase, Controllers.TestCase
TestBrokers.settings = TestControllers.settings = settings(max_examples=300)
