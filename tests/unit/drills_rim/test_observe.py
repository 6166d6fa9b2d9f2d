"""What the API tells, as events; and that changes alone are told."""

from typing import Any

import pytest

from drills import watching
from drills.model import BudgetState, Event, NodeState, PodState
from drills.observe import budget_state, gone, no_taint_refuses, node_state, pod_state
from drills.placing import place, touchable_zones
from drills.watching import Watching
from tests.unit.drills_rim.cluster import TARGET, node, pod


def test_a_pod() -> None:
    assert pod_state(pod("kafka-1", "nb"), TARGET, 5.0) == PodState(
        at=5.0, name="kafka-1", broker=1, node="nb", phase="Running", ready=True, terminating=False
    )
    waiting = pod_state(pod("kafka-1", None, ready=False, deletionTimestamp="now"), TARGET, 5.0)
    assert waiting is not None
    assert (waiting.node, waiting.phase, waiting.ready, waiting.terminating) == ("", "Pending", False, True)
    assert gone(waiting, 6.0).phase == "Gone"
    assert pod_state(pod("kafka-ha-drill", "server"), TARGET, 5.0) is None


def test_a_node() -> None:
    assert node_state(node("na", "a", unschedulable=True), 5.0) == NodeState(
        at=5.0, name="na", zone="a", ready=True, schedulable=False
    )


def test_a_budget_that_covers_kafka() -> None:
    budget: dict[str, Any] = {
        "metadata": {"name": "kafka"},
        "spec": {"selector": {"matchLabels": {"app": "kafka"}}},
        "status": {"disruptionsAllowed": 1},
    }
    assert budget_state(budget, TARGET, 5.0) == BudgetState(at=5.0, name="kafka", allowed=1)
    budget["spec"]["selector"]["matchLabels"] = {"app": "other"}
    assert budget_state(budget, TARGET, 5.0) is None


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        pytest.param([node("na", "a"), node("server")], "server", id="one without Kafka"),
        pytest.param([node("na", "a"), node("server", unschedulable=True)], "na", id="else one with"),
        pytest.param([node("nb", "b"), node("server", ready=False)], "nb", id="one that is ready"),
        pytest.param(
            [node("nb", "b"), node("server", taints=[{"effect": "NoSchedule"}])], "nb", id="one without a taint"
        ),
        pytest.param([node("server", taints=[{"effect": "PreferNoSchedule"}])], "server", id="a wish is no taint"),
    ],
)
def test_where_the_load_goes(nodes: list[dict[str, Any]], expected: str) -> None:
    assert place(nodes, frozenset({"na", "nb"})) == expected
    assert no_taint_refuses(node("x"))


def test_a_zone_with_the_load_is_not_lost() -> None:
    zones = {"na": "a", "nb": "b", "server": ""}
    assert touchable_zones(zones, "server") == {"a", "b"}
    assert touchable_zones(zones, "na") == {"b"}


class Lists:
    """Lists pods as they are, then gives some changes, then ends."""

    core = policy = None

    def call(self, method: Any, *arguments: Any) -> Any:
        return {"items": method(), "metadata": {"resourceVersion": "1"}}


def test_only_changes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    there = [pod("kafka-0", "na"), pod("kafka-1", "nb")]
    changes = [
        {"type": "MODIFIED", "object": pod("kafka-0", "na")},
        {"type": "MODIFIED", "object": pod("kafka-0", "na", ready=False)},
        {"type": "DELETED", "object": pod("kafka-0", "na", ready=False)},
        {"type": "ADDED", "object": pod("other-0", "na")},
    ]
    rounds = iter([(there, changes), (there[:1], [])])
    kubernetes: Any = type("K", (), {"core": _Any(), "policy": _Any(), "call": Lists.call})()
    watch = Watching(kubernetes, TARGET, told.append)

    def listed() -> list[Any]:
        found, stream = next(rounds, (None, None))
        if found is None:
            watch._end.set()
            return there[:1]
        monkeypatch.setattr(watching, "Watch", lambda: _Watch(stream or []))
        return found

    watch._follow("pod", listed, (), lambda one, at: pod_state(one, TARGET, at))
    states = [(one.name, one.phase, one.ready) for one in told if isinstance(one, PodState)]
    assert states == [
        ("kafka-0", "Running", True),
        ("kafka-1", "Running", True),
        ("kafka-0", "Running", False),
        ("kafka-0", "Gone", False),
        ("kafka-0", "Running", True),
        ("kafka-1", "Gone", False),
    ]


class _Any:
    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: None


class _Watch:
    def __init__(self, changes: list[Any]) -> None:
        self._changes = changes

    def stream(self, *arguments: Any, **options: Any) -> list[Any]:
        return self._changes
