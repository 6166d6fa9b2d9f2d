"""What is done about a cluster of the same name: the part of k3d and kwok where a mistake would lose data."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from components.scripts import lifecycle
from components.scripts.lifecycle import Decision, Found, Spec, decide
from components.scripts.process import Refused

SPEC = Spec("kube-cluster", "org.kafka-ha.dev", "abc", ("a", "b", "c"), 1, {})
FITS = {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        (None, Decision.CREATE),
        (Found(zones=FITS), Decision.ADOPT),
        (Found(zones={"a": 2, "b": 1, "c": 1}), Decision.ADOPT),
        (Found(SPEC.owner, "abc", FITS), Decision.ADOPT),
        (Found(SPEC.owner, "abc", {"a": 1}), Decision.RECREATE),
        (Found(SPEC.owner, "abc", {}), Decision.RECREATE),
    ],
)
def test_decision(found: Found | None, decision: Decision) -> None:
    assert decide(found, SPEC) is decision


@pytest.mark.parametrize(
    ("found", "parts"),
    [
        (Found(zones={"a": 1, "d": 1}), ["kafka-ha:cluster.name: got kube-cluster", "a (1), d (1)", "a, b, c"]),
        (Found(zones={}), ["none that answers", "Choose another name"]),
        (Found("org.kafka-ha.other", "abc", FITS), ["belongs to the stack org.kafka-ha.other"]),
        (Found(SPEC.owner, "older", FITS), ["exists with other settings", "a, b, c with 1 nodes each"]),
        (Found(SPEC.owner, "older", {"a": 1}), ["exists with other settings"]),
    ],
)
def test_what_is_not_ours_to_change_is_refused(found: Found, parts: list[str]) -> None:
    with pytest.raises(Refused) as refusal:
        decide(found, SPEC)
    for part in parts:
        assert part in str(refusal.value)


def test_too_few_nodes_in_a_zone_do_not_fit() -> None:
    with pytest.raises(Refused, match="with 2 nodes each"):
        decide(Found(zones=FITS), replace(SPEC, nodes_per_zone=2))


@dataclass
class FakeTool:
    """A kind that only remembers what was asked of it."""

    spec: Spec
    found: Found | None
    attempts: int = 2
    calls: list[str] = field(default_factory=list)

    def check(self) -> None:
        self.calls.append("check")

    def find(self) -> Found | None:
        return self.found

    def create(self) -> None:
        self.calls.append("create")

    def start(self) -> None:
        self.calls.append("start")

    def complete(self, kubeconfig: Path) -> None:
        self.calls.append("complete")

    def delete(self) -> None:
        self.calls.append("delete")

    def kubeconfig(self) -> str:
        return "kubeconfig"


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The zones that the API answers with; none until a test fills them."""
    zones: dict[str, int] = {}
    monkeypatch.setattr(lifecycle, "_zones_when_complete", lambda tool: zones)
    return zones


def test_create_makes_what_is_not_there(nodes: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    nodes.update(FITS)
    tool = FakeTool(SPEC, None)
    lifecycle.create(tool)
    assert tool.calls == ["check", "create", "complete"]
    assert capsys.readouterr().out == "kubeconfig\n"


def test_create_tries_once_more_when_no_node_comes_up(nodes: dict[str, int]) -> None:
    tool = FakeTool(SPEC, None)
    with pytest.raises(Refused, match="are not ready after"):
        lifecycle.create(tool)
    assert tool.calls == ["check", "create", "complete", "delete", "create", "complete"]


def test_create_starts_and_completes_what_is_there(nodes: dict[str, int]) -> None:
    nodes.update(FITS)
    tool = FakeTool(SPEC, Found(SPEC.owner, "abc"))
    lifecycle.create(tool)
    assert tool.calls == ["check", "start", "complete"]


def test_delete_leaves_an_adopted_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    tool = FakeTool(SPEC, Found())
    lifecycle.delete(tool)
    assert tool.calls == []
    assert "it stays" in capsys.readouterr().err


@pytest.mark.parametrize(("found", "calls"), [(None, []), (Found(SPEC.owner, "older"), ["delete"])])
def test_delete_takes_what_is_ours(found: Found | None, calls: list[str]) -> None:
    tool = FakeTool(SPEC, found)
    lifecycle.delete(tool)
    assert tool.calls == calls
