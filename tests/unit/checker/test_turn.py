"""One node stops at a time, whatever happens to the nodes, their clocks and the API."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from components.checker import turn
from components.checker.kubernetes import ApiError
from components.checker.turn import RENEW, SECONDS, TRUSTED, Turn
from tests.unit.checker.api import FakeApi, unreachable
from tests.unit.checker.environment import environment
from tests.unit.clock import Clock

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kafka/leases/kafka-stop"
SET = "/apis/apps/v1/namespaces/kafka/statefulsets/kafka"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turn, "time", clock)
    return clock


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def turns(tmp_path: Path, api: FakeApi) -> list[Turn]:
    return [Turn(environment(tmp_path, f"kafka-{node}"), api) for node in range(3)]


def holder(api: FakeApi) -> Any:
    return api.objects[LEASE]["spec"].get("holderIdentity")


def test_one_at_a_time(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    first, second, _ = turns
    assert first.take()
    assert (first.is_held, second.take(), second.is_held) == (True, False, False)
    first.give_back()
    assert (first.is_held, second.take(), holder(api)) == (False, True, "kafka-1")
    assert not first.take()


def test_it_is_renewed_when_due(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    assert turns[0].take()
    begun = len(api.requests)
    clock.now += RENEW - 0.1
    assert turns[0].take()
    assert len(api.requests) == begun
    clock.now += 0.2
    assert turns[0].take()
    assert [method for method, _ in api.requests[begun:]] == ["GET", "PUT"]


def test_the_lease_is_as_kubernetes_wants_it(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    turns[0].take()
    lease = api.objects[LEASE]
    assert (lease["apiVersion"], lease["kind"]) == ("coordination.k8s.io/v1", "Lease")
    assert (lease["spec"]["leaseDurationSeconds"], lease["spec"]["holderIdentity"]) == (SECONDS, "kafka-0")
    assert len(lease["spec"]["renewTime"]) == len("2026-01-01T00:00:00.000000Z")  # MicroTime


def test_a_node_that_died_with_the_turn_loses_it(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    """Not before the lease's duration has passed on the watching node's own clock, whatever its renewTime says."""
    dead, other, _ = turns
    dead.take()
    api.objects[LEASE]["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z"
    clock.now += 1000
    assert not other.take()
    clock.now += SECONDS - 1
    assert not other.take()
    clock.now += 2
    assert (other.take(), dead.is_held) == (True, False)


def test_a_holder_that_can_not_renew_stops_trusting_it_first(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    turns[0].take()
    api.before = unreachable
    clock.now += RENEW + 1
    with pytest.raises(ApiError):
        turns[0].take()
    assert turns[0].is_held
    clock.now += TRUSTED - RENEW
    assert not turns[0].is_held
    assert TRUSTED < SECONDS


def test_a_turn_whose_answer_was_lost_is_given_back(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    api.after = lambda: unreachable() if api.requests[-1][0] == "POST" else None
    with pytest.raises(ApiError):
        turns[0].take()
    assert (holder(api), turns[0].is_held) == ("kafka-0", False)
    turns[0].give_back()
    assert holder(api) is None


def test_what_was_never_taken_is_not_given_back(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    turns[0].take()
    assert not turns[1].take()
    turns[1].give_back()
    assert holder(api) == "kafka-0"


def test_another_that_is_faster(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    """409, as the lease is made and as it is changed."""
    first, second, third = turns

    def meanwhile(other: Turn) -> Callable[[], None]:
        def take() -> None:
            api.after = lambda: None
            assert other.take()

        return take

    api.after = meanwhile(second)
    assert not first.take()
    second.give_back()
    api.after = meanwhile(third)
    assert not first.take()
    assert holder(api) == "kafka-2"


@pytest.mark.parametrize(
    ("found", "is_over"),
    [
        ({"metadata": {}, "spec": {"replicas": 3}}, False),
        ({"metadata": {}, "spec": {"replicas": 0}}, True),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"replicas": 3}}, True),
        (
            # kubectl delete --cascade=orphan: the pods stay.
            {
                "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["orphan"]},
                "spec": {"replicas": 3},
            },
            False,
        ),
    ],
)
def test_it_is_over(api: FakeApi, turns: list[Turn], found: Any, is_over: bool) -> None:
    api.put(SET, found)
    assert turns[0].is_over() == is_over


def test_a_set_that_is_made_anew_is_not_over(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    assert not turns[0].is_over()
    clock.now += 9
    assert not turns[0].is_over()
    api.put(SET, {"spec": {"replicas": 3}})
    assert not turns[0].is_over()
    del api.objects[SET]
    clock.now += 9
    assert not turns[0].is_over()
    clock.now += 11
    assert turns[0].is_over()


def test_other_errors_are_told(clock: Clock, api: FakeApi, turns: list[Turn]) -> None:
    api.before = unreachable
    for question in (turns[0].take, turns[0].is_over):
        with pytest.raises(ApiError):
            question()


class Nodes(RuleBasedStateMachine):
    """Three nodes that take, renew and give back at any time, also between the requests of another; that die; whose
    requests and answers are lost; whose clocks began at different times.
    """

    def __init__(self) -> None:
        super().__init__()
        self.api, self.clock = FakeApi(), Clock()
        self.turns: list[Turn] = []
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(turn, "time", self.clock)

    @initialize(offsets=st.lists(st.floats(-900, 1e6), min_size=3, max_size=3))
    def start(self, offsets: list[float]) -> None:
        self.offsets = offsets
        self.turns = [self.starting(node) for node in range(3)]

    def teardown(self) -> None:
        self.patch.undo()

    def starting(self, node: int) -> Turn:
        names = {"pod": f"kafka-{node}", "lease": "kafka-stop", "namespace": "kafka", "stateful_set": "kafka"}
        return Turn(SimpleNamespace(**names), self.api)  # type: ignore[arg-type]

    def on(self, node: int, act: Callable[[], Any]) -> None:
        """Acts on the clock of a node."""
        before, self.clock.offset = self.clock.offset, self.offsets[node]
        try:
            act()
        except ApiError:
            pass
        finally:
            self.clock.offset = before

    nodes = st.integers(0, 2)
    acts = st.sampled_from(["take", "take", "give_back"])

    @rule(node=nodes, act=acts)
    def one_acts(self, node: int, act: str) -> None:
        self.on(node, getattr(self.turns[node], act))

    @rule(node=nodes, act=acts, other=nodes, others_act=acts, after=st.booleans(), seconds=st.integers(0, 10))
    def one_acts_amid_the_requests_of_another(
        self, node: int, act: str, other: int, others_act: str, after: bool, seconds: int
    ) -> None:
        assume(node != other)

        def amid() -> None:
            self.api.before = self.api.after = lambda: None
            self.on(other, getattr(self.turns[other], others_act))
            self.clock.now += seconds

        setattr(self.api, "after" if after else "before", amid)
        self.on(node, getattr(self.turns[node], act))
        self.api.before = self.api.after = lambda: None

    @rule(node=nodes, act=acts, after=st.booleans(), number=st.integers(1, 2))
    def a_request_is_lost(self, node: int, act: str, after: bool, number: int) -> None:
        left = [number]

        def lose() -> None:
            left[0] -= 1
            if not left[0]:
                unreachable()

        setattr(self.api, "after" if after else "before", lose)
        self.on(node, getattr(self.turns[node], act))
        self.api.before = self.api.after = lambda: None

    @rule(node=nodes)
    def one_dies_and_starts_again(self, node: int) -> None:
        self.turns[node] = self.starting(node)

    @rule(seconds=st.sampled_from([4, 14, 31]))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += seconds

    @invariant()
    def at_most_one_holds_it(self) -> None:
        held = []
        for node, one in enumerate(self.turns):
            self.on(node, lambda one=one: held.append(one.is_held))  # type: ignore[misc]
        assert sum(held) <= 1


TestNodes = Nodes.TestCase
