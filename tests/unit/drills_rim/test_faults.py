"""Each fault does what it says, and is undone whatever happens."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from drills.drill import Drill
from drills.errors import NotApplicable, NotInTime
from drills.faults import disks, drain, network, nodes, pods, processes, rollouts
from drills.kubernetes import ExecFailed
from drills.model import EvictionAnswer
from tests.unit.drills_rim.cluster import FakeMachines, World, pod, world

Fault = Callable[[Drill], AbstractContextManager[None]]


class Boom(Exception):
    """Whatever goes wrong while a fault lasts."""


def undone_after_failure(found: World, fault: Fault) -> None:
    with pytest.raises(Boom), fault(found.drill()):
        raise Boom


def test_a_node_is_uncordoned_even_when_the_cordon_failed() -> None:
    found = world()
    undone_after_failure(found, lambda drill: drain.cordoned(drill, "na"))
    assert found.kubernetes.done == [("cordon", "na", True), ("cordon", "na", False)]
    found.kubernetes.fails = {"cordon"}
    with pytest.raises(Exception, match="cordon fails"), drain.cordoned(found.drill(), "na"):
        pass
    assert found.kubernetes.done[-1] == ("cordon", "na", False)
    assert "could not be undone: cordon of na (cordon fails)" in found.notes


def test_a_node_that_was_cordoned_stays_so() -> None:
    found = world()
    found.situation.nodes["na"] = found.situation.nodes["na"].model_copy(update={"schedulable": False})
    with drain.cordoned(found.drill(), "na"):
        pass
    assert not found.kubernetes.done


def test_a_drain_asks_again_until_it_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "_RETRY_SECONDS", 0)
    found = world()
    found.kubernetes.refusals = 2
    undone_after_failure(found, lambda drill: drain.drained(drill, "nb"))
    answers = [one for one in found.events if isinstance(one, EvictionAnswer)]
    assert [(one.pod, one.granted) for one in answers] == [("kafka-1", False), ("kafka-1", False), ("kafka-1", True)]
    assert "budget" in answers[0].message
    assert found.kubernetes.done[-1] == ("cordon", "nb", False)


def test_a_drain_that_is_refused_for_ever_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "_RETRY_SECONDS", 0)
    found = world()
    found.kubernetes.refusals = 10**9
    with pytest.raises(NotInTime, match="nb is drained; left are kafka-1"):
        found.drill().start(drain.drained(found.drill(), "nb", seconds=0.05))
    assert found.kubernetes.done[-1] == ("cordon", "nb", False)


@pytest.mark.parametrize(
    ("change", "evicted"),
    [
        ({}, True),
        ({"ownerReferences": [{"kind": "DaemonSet", "controller": True}]}, False),
        ({"ownerReferences": [{"kind": "Node", "controller": False}]}, False),
        ({"ownerReferences": []}, False),
        ({"annotations": {"kubernetes.io/config.mirror": "x"}}, False),
    ],
)
def test_whom_a_drain_asks(change: dict[str, Any], evicted: bool) -> None:
    assert drain.is_evicted(pod("x-0", "na", **change)) is evicted


def test_pods_that_have_ended_are_left_alone() -> None:
    ended = pod("x-0", "na")
    ended["status"]["phase"] = "Succeeded"
    assert not drain.is_evicted(ended)


def signals(found: World) -> list[tuple[str, str, str]]:
    """Node, container and signal of those that were sent by the node."""
    return [(one[1], one[-2], one[-1]) for one in found.machines.done if one[0] == "run"]


def test_a_frozen_process_goes_on() -> None:
    found = world()
    undone_after_failure(found, lambda drill: processes.frozen(drill, "kafka-2"))
    assert signals(found) == [("nc", "id-of-kafka-2", "STOP"), ("nc", "id-of-kafka-2", "CONT")]


def test_a_process_is_killed() -> None:
    found = world()
    processes.kill(found.drill(), "kafka-0")
    assert signals(found) == [("na", "id-of-kafka-0", "KILL")]


def test_elsewhere_than_on_k3d_the_signal_comes_from_inside() -> None:
    found = world()
    found.machines = FakeMachines()
    found.kubernetes.exec_answers = {"kafka": "done\n"}
    processes.check(found.drill(), "kafka-0")
    processes.kill(found.drill(), "kafka-0")
    assert found.kubernetes.done[-1][-1] == "KILL"


@pytest.mark.parametrize("answer", ["", ExecFailed("no shell")])
def test_where_no_signal_gets_there_it_does_not_apply(answer: str | Exception) -> None:
    found = world()
    found.machines = FakeMachines()
    found.kubernetes.exec_answers = {"kafka": answer}
    with pytest.raises(NotApplicable, match="as where Kafka is process 1"):
        processes.check(found.drill(), "kafka-0")


def test_nodes_get_their_power_back_all_of_them() -> None:
    found = world()
    undone_after_failure(found, lambda drill: nodes.lost(drill, "na", "nb"))
    assert found.machines.done == [("kill", "na", "nb"), ("start", "na", "nb")]


def test_a_node_that_is_gone_is_replaced_in_its_zone() -> None:
    found = world()
    recovered: list[str] = []
    found.situation.nodes["new"] = found.situation.nodes["nb"]
    undone_after_failure(found, lambda drill: nodes.gone(drill, "nb", recovered.append))
    assert found.machines.done == [("kill", "nb"), ("remove", "nb"), ("add", "topology.kubernetes.io/zone=b")]
    assert ("delete_node", "nb") in found.kubernetes.done
    assert recovered == ["new"]


def test_a_broker_is_cut_off_both_ways_and_connected_again() -> None:
    found = world()
    with network.cut_off(found.drill(), "kafka-1"):
        assert {rule[:3] for rule in found.machines.rules} == {
            ("FORWARD", "-s", "10.0.0.1"),
            ("FORWARD", "-d", "10.0.0.1"),
        }
    assert found.machines.rules == set()
    undone_after_failure(found, lambda drill: network.cut_off(drill, "kafka-1"))
    assert found.machines.rules == set()


def test_rules_that_are_there_twice_are_all_removed() -> None:
    """Healing is idempotent, and so is it where it was cut twice."""
    found = world()
    drill = found.drill()
    with network.cut_off(drill, "kafka-1"), network.cut_off(drill, "kafka-1"):
        pass
    assert found.machines.rules == set()


def test_without_k3d_nothing_is_cut_off() -> None:
    found = world()
    found.machines = FakeMachines()
    with pytest.raises(NotApplicable, match="only nodes of k3d"):
        network.check(found.drill(), "kafka-1")


def test_pods_are_deleted_all_at_once() -> None:
    found = world()
    pods.delete(found.drill(), "kafka-0", "kafka-1", at_once=True)
    pods.delete(found.drill(), "kafka-2")
    assert found.kubernetes.done == [
        ("delete_pod", "kafka-0", 0),
        ("delete_pod", "kafka-1", 0),
        ("delete_pod", "kafka-2", None),
    ]


def test_a_full_disk_has_room_again_and_the_pod_that_filled_it_is_gone() -> None:
    found = world()
    found.kubernetes.exec_answers = {"dd": "", "rm": ""}
    undone_after_failure(found, lambda drill: disks.full(drill, "kafka-0"))
    what = [one[0] if one[0] != "exec" else one[3] for one in found.kubernetes.done]
    assert what == ["create_pod", "sh", "rm", "delete_pod"]


@pytest.mark.parametrize(("kib", "applies"), [(500_000, True), (50_000_000, False)])
def test_only_small_disks_are_filled(kib: int, applies: bool) -> None:
    found = world()
    found.kubernetes.exec_answers = {"df": f"Filesystem 1K-blocks\n/dev/x {kib} 1 1 1% /var/lib/kafka/data\n"}
    if applies:
        disks.check(found.drill(), "kafka-0")
    else:
        with pytest.raises(NotApplicable, match="a file system of 48 GiB"):
            disks.check(found.drill(), "kafka-0")


def test_an_image_is_changed_back() -> None:
    found = world()
    undone_after_failure(found, lambda drill: rollouts.upgraded(drill, "apache/kafka:9"))
    images = [one[2]["spec"]["containers"][0]["image"] for one in found.kubernetes.done]
    assert images == ["apache/kafka:9", "apache/kafka:4.3.1"]


def test_a_roll_has_ended_when_every_pod_is_new_and_ready() -> None:
    done: dict[str, Any] = world().kubernetes.stateful_set("kafka", "kafka")
    assert rollouts.is_rolled(done)
    for change in (
        {"observedGeneration": 1},
        {"updatedReplicas": 2},
        {"readyReplicas": 2},
        {"currentRevision": "a"},
    ):
        assert not rollouts.is_rolled(done | {"status": done["status"] | change})


def test_all_faults_of_a_drill_are_undone_the_last_first() -> None:
    found = world()
    drill = found.drill()
    drill.start(drain.cordoned(drill, "na"))
    drill.start(nodes.lost(drill, "nb"))
    drill.heal()
    drill.heal()
    assert found.machines.done == [("kill", "nb"), ("start", "nb")]
    assert found.kubernetes.done == [("cordon", "na", True), ("cordon", "na", False)]
