"""The catalogue, and what the drills choose."""

import re
from pathlib import Path

import pytest

from drills import faults
from drills.catalog import CATALOG, chosen
from drills.checks import expectation
from drills.errors import NotApplicable, Refused
from drills.model import PodState
from drills.scenarios.rounds import FAULTS
from drills.scenarios.scenario import Scenario
from tests.unit.drills_rim.cluster import FakeKubernetes, FakeMachines, partition, world

ASKED = {
    "drain-leader",
    "drain-two",
    "node-loss",
    "zone-loss",
    "kill-leader",
    "freeze-leader",
    "kill-controller",
    "partition",
    "rolling-restart",
    "rolling-upgrade",
    "cold-start",
    "disk-full",
    "random",
}


def test_every_drill_of_the_catalogue_is_there() -> None:
    assert set(CATALOG) == ASKED | {"drain-two-force"}


@pytest.mark.parametrize("scenario", CATALOG.values(), ids=lambda one: one.name)
def test_a_drill_is_complete(scenario: Scenario) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", scenario.name)
    assert scenario.statement.endswith(".")
    for text in scenario.expectations:
        expectation(text)
    assert {"no-loss", "no-false-acknowledgement", "isr-whole-again"} <= set(scenario.expectations)
    assert len(set(scenario.expectations)) == len(scenario.expectations)


def test_names_are_chosen() -> None:
    assert [one.name for one in chosen(["kill-leader", "random"], force=False)] == ["kill-leader", "random"]
    assert [one.name for one in chosen(["drain-two"], force=True)] == ["drain-two-force"]
    assert {one.name for one in chosen(["all"], force=False)} == ASKED
    with pytest.raises(Refused, match=r"no drill drain-leadr; .* Did you mean drain-leader\?"):
        chosen(["drain-leadr"], force=False)


def test_a_leader_on_the_node_of_the_load_is_not_taken() -> None:
    found = world()
    drill = found.drill()
    assert drill.leader_on_a_spare_node() == "kafka-0"
    drill.load_node = "na"
    assert drill.leader_on_a_spare_node() == "kafka-1"
    assert drill.other_on_a_spare_node("kafka-1") == "kafka-2"
    assert drill.leader() == "kafka-0", "a process may be killed there"


def test_no_leader_that_can_be_taken_is_told() -> None:
    found = world()
    drill = found.drill()
    drill.load_node = "nb"
    for number in range(3):
        found.take(partition(number, 1))
    with pytest.raises(NotApplicable, match="the drill's own pod has to run on nb"):
        CATALOG["drain-leader"].applies(drill)


def test_the_second_broker_is_on_another_node() -> None:
    found = world()
    found.take(PodState(at=1, name="kafka-1", broker=1, node="na", phase="Running", ready=True, terminating=False))
    assert found.drill().other_on_a_spare_node("kafka-0") == "kafka-2"


@pytest.mark.parametrize("name", ["node-loss", "zone-loss", "partition", "kill-leader", "freeze-leader"])
def test_what_needs_a_hand_on_the_nodes_does_not_apply_elsewhere(name: str) -> None:
    found = world()
    found.machines = FakeMachines()
    found.kubernetes.exec_answers = {"kafka": ""}
    with pytest.raises(NotApplicable):
        CATALOG[name].applies(found.drill())
    assert not [one for one in found.kubernetes.done if one[0] != "exec"], "nothing is touched"


def test_zone_loss_takes_all_nodes_of_a_leaders_zone() -> None:
    found = world()
    found.situation.nodes["na2"] = found.situation.nodes["na"].model_copy(update={"name": "na2"})
    found.machines.reachable.add("na2")
    drill = found.drill()
    CATALOG["zone-loss"].applies(drill)
    CATALOG["zone-loss"].perform(drill)
    assert found.machines.done == [("kill", "na", "na2")]
    drill.heal()
    assert found.machines.done[-1] == ("start", "na", "na2")


def test_drain_two_asks_for_the_second_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drills.faults.drain._RETRY_SECONDS", 0)
    monkeypatch.setattr("drills.scenarios.maintenance._ASK_SECONDS", 0.01)
    found = world()
    drill = found.drill(hold=0.1)
    real = found.kubernetes.evict

    def evict(namespace: str, name: str):  # type: ignore[no-untyped-def]
        found.kubernetes.refusals = name != "kafka-0"
        return real(namespace, name)

    found.kubernetes.evict = evict  # type: ignore[method-assign]
    CATALOG["drain-two"].perform(drill)
    asked = [one[1] for one in found.kubernetes.done if one[0] == "evict"]
    assert asked[0] == "kafka-0"
    assert set(asked[1:]) == {"kafka-1"}
    assert len(asked) > 3


def test_without_a_budget_nothing_would_refuse() -> None:
    found = world()
    found.situation.budgets = {}
    with pytest.raises(NotApplicable, match="no PodDisruptionBudget"):
        CATALOG["drain-two"].applies(found.drill())


def test_an_upgrade_needs_another_image() -> None:
    for image in (None, "apache/kafka:4.3.1"):
        with pytest.raises(NotApplicable, match="--upgrade-image"):
            CATALOG["rolling-upgrade"].applies(world().drill(upgrade_image=image))
    CATALOG["rolling-upgrade"].applies(world().drill(upgrade_image="apache/kafka:4.4.0"))


def test_random_is_the_same_for_a_seed_and_takes_only_what_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drills.faults.drain._RETRY_SECONDS", 0)

    def told(seed: int, *, reachable: bool) -> list[str]:
        found = world()
        if not reachable:
            found.machines = FakeMachines()
            found.kubernetes.exec_answers = {"kafka": ""}
        drill = found.drill(seed=seed)
        for _ in range(6):
            CATALOG["random"].perform(drill)
            drill.heal()
            found.kubernetes.pod_list = FakeKubernetes().pod_list
        return [note for note in found.notes if note.startswith("at random")]

    assert told(1, reachable=True) == told(1, reachable=True)
    assert len({tuple(told(seed, reachable=True)) for seed in range(8)}) > 4
    assert {note.rpartition(" ")[2] for seed in range(8) for note in told(seed, reachable=False)} <= {
        "drain-leader",
        "delete-leader",
        "kill-pod",
    }


def test_every_fault_of_random_can_say_whether_it_applies() -> None:
    for _, applies in FAULTS.values():
        applies(world().drill())


def test_every_fault_is_named_in_the_docs() -> None:
    docs = (Path(faults.__file__).parents[2] / "docs/drills.md").read_text()
    for name in CATALOG:
        assert f"`{name}`" in docs
