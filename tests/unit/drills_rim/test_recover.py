"""A lost broker is replaced, and nothing is touched unless it is safe."""

from collections.abc import Callable
from typing import Any

import pytest

from drills import kafka_state, recover
from drills.errors import DrillError, Refused
from drills.kafka_state import State
from drills.recover import Recovery
from tests.unit.drills_rim.cluster import TARGET, FakeKubernetes, node, pod

HEALTHY = State(frozenset({1}), True, {0: "d0", 1: "d1", 2: "d2"})
DONE = State(frozenset(), True, {0: "d0", 1: "new", 2: "d2"})


class Kafka:
    """Tells one state after the other, the last for ever; or fails with it."""

    def __init__(self, *states: State | DrillError) -> None:
        self.states = list(states)

    def __call__(self, pod_name: str) -> Any:
        return self

    def read(self) -> State:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, DrillError):
            raise state
        return state


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(recover, "_CLAIM_SECONDS", 0.2)
    monkeypatch.setattr(recover, "_READY_SECONDS", 0.2)


def lost() -> FakeKubernetes:
    """Broker 1's node is gone, and with it the disk; a new node is there."""
    found = FakeKubernetes()
    del found.node_list["nb"]
    found.node_list["new"] = node("new", "b")
    found.pod_list["kafka-1"] = pod("kafka-1", None, ready=False)

    def made_anew(name: str) -> None:
        found.pod_list[name] = pod(name, "new") | {"metadata": {"name": name, "namespace": "kafka", "uid": "other"}}

    found.on_delete = made_anew
    return found


def recovery(kubernetes: FakeKubernetes, *states: State | DrillError) -> tuple[Recovery, list[str]]:
    said: list[str] = []
    api: Any = kubernetes
    return Recovery(api, TARGET, said.append, Kafka(*(states or (HEALTHY, DONE)))), said


def test_a_lost_broker_is_replaced_step_by_step() -> None:
    kubernetes = lost()
    found, said = recovery(kubernetes)
    found.run(1, gone=False)
    assert kubernetes.done == [
        ("set_reclaim_policy", "pv-1", "Retain"),
        ("delete_claim", "data-kafka-1"),
        ("delete_pod", "kafka-1", 0),
        ("delete_volume", "pv-1"),
    ]
    assert len(said) == 7
    assert "Retain" in said[0]
    assert said[-1] == "kafka-1 is recovered"


def test_a_broker_that_can_not_be_asked_is_asked_again() -> None:
    found, said = recovery(lost(), HEALTHY, DrillError("kafka-0 restarts"), DONE, DrillError("again"), DONE)
    found.run(1, gone=False)
    assert said[-1] == "kafka-1 is recovered"


def test_what_can_not_be_asked_to_the_end_is_told() -> None:
    found, _ = recovery(lost(), HEALTHY, DrillError("kafka-0 is deaf."))
    with pytest.raises(DrillError, match=r"votes with its new disk\. Last: kafka-0 is deaf\. Let it join by hand"):
        found.run(1, gone=False)


def test_a_volume_that_can_be_wiped_gets_its_policy_back() -> None:
    kubernetes = lost()
    del kubernetes.volumes["pv-1"]["spec"]["nodeAffinity"]
    found, _ = recovery(kubernetes)
    found.run(1, gone=True)
    assert kubernetes.done[-1] == ("set_reclaim_policy", "pv-1", "Delete")


def test_what_is_to_be_kept_is_kept() -> None:
    kubernetes = lost()
    kubernetes.volumes["pv-1"]["spec"]["persistentVolumeReclaimPolicy"] = "Retain"
    found, _ = recovery(kubernetes)
    found.run(1, gone=False)
    assert kubernetes.done[-1][0] == "delete_pod"


def test_a_dry_run_touches_nothing_and_tells_the_steps() -> None:
    kubernetes = lost()
    found, said = recovery(kubernetes)
    plan = found.check(1, gone=False)
    assert (plan.zone, plan.claims, plan.volumes) == ("b", ("data-kafka-1",), {"pv-1": "Delete"})
    assert len(plan.steps) == 6
    assert "in b" in plan.steps[2]
    assert not kubernetes.done
    assert not said


def unready(*names: str) -> Callable[[FakeKubernetes], None]:
    def change(kubernetes: FakeKubernetes) -> None:
        for name in names:
            kubernetes.pod_list[name]["status"]["conditions"] = []

    return change


def back(kubernetes: FakeKubernetes) -> None:
    kubernetes.pod_list["kafka-1"] = pod("kafka-1", "new")


def node_not_ready(kubernetes: FakeKubernetes) -> None:
    """Not gone: it may come back."""
    kubernetes.node_list["nb"] = node("nb", "b", ready=False)
    kubernetes.pod_list["kafka-1"] = pod("kafka-1", "nb")


def no_room(kubernetes: FakeKubernetes) -> None:
    del kubernetes.node_list["new"]
    kubernetes.node_list["nb"] = node("nb", "b", ready=False)
    kubernetes.pod_list["kafka-1"] = pod("kafka-1", "nb")


def quorum_gone(kubernetes: FakeKubernetes) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "state", "gone", "said"),
    [
        pytest.param(unready("kafka-2"), HEALTHY, True, "kafka-2 is not ready either", id="another is down"),
        pytest.param(back, HEALTHY, True, "kafka-1 is ready: nothing is lost", id="nothing is lost"),
        pytest.param(
            quorum_gone,
            HEALTHY._replace(missing=frozenset({1, 2})),
            True,
            "replicas on 2 are not in sync either",
            id="another is behind",
        ),
        pytest.param(quorum_gone, HEALTHY._replace(led=False), True, "has no leader now", id="no leader"),
        pytest.param(node_not_ready, HEALTHY, False, "it may come back", id="the node may come back"),
        pytest.param(no_room, HEALTHY, True, "no node in zone b can take the broker", id="no node in the zone"),
    ],
)
def test_it_is_refused_with_nothing_touched(
    change: Callable[[FakeKubernetes], None], state: State, gone: bool, said: str
) -> None:
    kubernetes = lost()
    change(kubernetes)
    found, _ = recovery(kubernetes, state)
    with pytest.raises(Refused, match=said):
        found.run(1, gone=gone)
    assert not kubernetes.done


def test_the_user_may_say_that_a_node_does_not_come_back() -> None:
    kubernetes = lost()
    node_not_ready(kubernetes)
    found, _ = recovery(kubernetes)
    found.run(1, gone=True)
    assert ("set_reclaim_policy", "pv-1", "Delete") in kubernetes.done


def test_a_quorum_that_does_not_take_the_new_disk_is_told_of_and_the_volume_kept() -> None:
    kubernetes = lost()
    found, _ = recovery(kubernetes, HEALTHY)
    with pytest.raises(DrillError, match=r"remove-controller --controller-id 1 --controller-directory-id d1"):
        found.run(1, gone=False)
    assert kubernetes.done[-1][0] == "delete_pod"


def test_it_waits_for_the_isr_before_the_old_volume_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "_SYNC_SECONDS", 0.1)
    kubernetes = lost()
    found, _ = recovery(kubernetes, HEALTHY, HEALTHY._replace(voters=DONE.voters))
    with pytest.raises(DrillError, match="every replica is in sync"):
        found.run(1, gone=False)
    assert kubernetes.done[-1][0] == "delete_pod"


# As Kafka 4.3.1's tools write it.
DESCRIBED = """\
\tTopic: a\tPartition: 0\tLeader: 0\tReplicas: 0,1,2\tIsr: 0,2\tElr: \tLastKnownElr:
\tTopic: a\tPartition: 1\tLeader: 2\tReplicas: 1,2,0\tIsr: 2\tElr: \tLastKnownElr:
"""
QUORUM = """\
ClusterId:              Tm93aGVyZQ
LeaderId:               2
LeaderEpoch:            5
CurrentVoters:          [{"id": 0, "directoryId": "d0", "endpoints": ["CONTROLLER://kafka-0:9093"]}, \
{"id": 1, "directoryId": "AAAAAAAAAAAAAAAAAAAAAA", "endpoints": []}]
CurrentObservers:       []
"""


def test_what_the_tools_tell_is_read() -> None:
    assert kafka_state.missing(DESCRIBED) == {0, 1}
    assert kafka_state.missing("") == frozenset()
    assert kafka_state.has_leader(QUORUM)
    assert not kafka_state.has_leader(QUORUM.replace("2\n", "-1\n", 1))
    assert kafka_state.voters(QUORUM) == {0: "d0"}, "the other is known by its number alone"
    assert kafka_state.voters("CurrentVoters: [0,1,2]\n") == {}
