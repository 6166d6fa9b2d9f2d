"""How a Kafka stands, as it is read of a made-up cluster, and as it is shown."""

import json
from collections.abc import Iterable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

import drills.__main__ as cli
from drills import status as status_of
from drills import target
from drills.errors import Refused
from drills.kubernetes import ExecFailed
from drills.status import Budget, NodeStatus, Status
from drills.status_table import tables
from tests.unit.drills_rim.cluster import TARGET, FakeKubernetes, node, pod
from tests.unit.drills_rim.test_cli import call

WELL = {"unready": [], "disks": {"/var/lib/kafka/data": 0.34}}
PARTITIONS = {
    "count": 9,
    "brokers": {str(number): {"leads": 3, "holds": 9, "inSync": 9, "alive": True} for number in range(3)},
    "lacking": {kind: {"count": 0, "first": []} for kind in ("offline", "underMinIsr", "underReplicated")},
}
QUORUM = {"leader": 1, "epoch": 4, "lags": {"0": 120, "1": 0, "2": 40}}
BUDGET: dict[str, Any] = {
    "metadata": {"name": "kafka"},
    "spec": {"selector": {"matchLabels": {"app": "kafka"}}},
    "status": {"disruptionsAllowed": 1, "currentHealthy": 3, "expectedPods": 3},
}


class Cluster(FakeKubernetes):
    """Whose checkers answer."""

    def __init__(self) -> None:
        super().__init__()
        self.budget_list = [
            BUDGET,
            {"metadata": {"name": "other"}, "spec": {"selector": {"matchLabels": {"app": "x"}}}},
        ]
        self.told: dict[str, Any] = {"partitions": PARTITIONS, "quorum": QUORUM, "status": WELL}
        self.of_pod: dict[str, Any] = {}
        self.silent: set[str] = set()

    def budgets(self, namespace: str) -> list[Any]:
        return self.budget_list

    def exec(self, namespace: str, name: str, container: str, *command: str, seconds: float = 60) -> str:
        assert (container, command[:3]) == ("checker", ("python3", "-m", "checker.live"))
        if name in self.silent:
            raise ExecFailed(f"python3 in {name}/checker did not end within 20 s.")
        [part] = command[3:]
        told = self.of_pod.get(name, self.told["status"]) if part == "status" else self.told[part]
        if told is None:
            raise ExecFailed(f"{name}: the quorum has no leader")
        return json.dumps({part: told})


def read(cluster: FakeKubernetes) -> Status:
    api: Any = cluster
    return status_of.read(api, TARGET)


def shown(found: Iterable[Any]) -> str:
    text = StringIO()
    console = Console(file=text, width=200)
    for table in found:
        console.print(table, highlight=False)
    return text.getvalue()


def test_all_is_well() -> None:
    found = read(Cluster())
    assert found.nodes[1] == NodeStatus("kafka-1", 1, True, True, "nb", "b", ready=True, disks=(0.34,))
    assert found.budgets == (Budget("kafka", 1, 3, 3),)
    assert (found.partitions, found.quorum, found.troubles) == (PARTITIONS, QUORUM, ())
    lines = shown(tables(found)).splitlines()
    assert lines[0].split() == ["pod", "id", "zone", "node", "state", "leads", "in", "sync", "voter", "disk"]
    assert lines[1].split() == ["kafka-0", "0", "a", "na", "Ready", "3", "9", "of", "9", "0.1", "s", "behind", "34%"]
    assert lines[2].split() == ["kafka-1", "1", "b", "nb", "Ready", "3", "9", "of", "9", "leader", "34%"]
    assert "partitions: 9, all in sync" in lines
    assert lines[-1].split() == ["kafka", "1", "3", "of", "3"]


def test_a_node_that_lags_says_why() -> None:
    cluster = Cluster()
    cluster.pod_list["kafka-2"] = pod("kafka-2", "nc", ready=False)
    cluster.of_pod["kafka-2"] = {
        "unready": ["out of the ISR of 3 of 9 partitions", "voter 2 lags"],
        "disks": {"/d": 0.95},
    }
    found = read(cluster).nodes[2]
    assert (found.ready, found.trouble) == (False, "out of the ISR of 3 of 9 partitions; voter 2 lags")
    assert found.disks == (0.95,)


def test_a_pod_that_waits_says_for_what() -> None:
    cluster = Cluster()
    cluster.pod_list["kafka-2"] = pod("kafka-2", None, ready=False)
    waits = {"type": "PodScheduled", "status": "False", "message": "0/4 nodes are available"}
    cluster.pod_list["kafka-2"]["status"]["conditions"].append(waits)
    del cluster.pod_list["kafka-1"]
    found = read(cluster)
    assert [one.trouble for one in found.nodes] == ["", "there is no pod", "0/4 nodes are available"]
    assert found.partitions == PARTITIONS, "the one that is left tells"


def test_what_is_on_a_lost_machine_is_not_asked() -> None:
    cluster = Cluster()
    cluster.node_list["nb"] = node("nb", "b", ready=False)
    cluster.silent = {"kafka-1"}
    found = read(cluster).nodes[1]
    assert (found.zone, found.trouble) == ("b", "the node nb is not ready")


def test_a_broker_that_does_not_answer_leaves_the_question_to_the_next() -> None:
    cluster = Cluster()
    cluster.silent = {"kafka-0"}
    found = read(cluster)
    assert (found.quorum, found.troubles) == (QUORUM, ())
    assert found.nodes[0].trouble == "python3 in kafka-0/checker did not end within 20 s."
    cluster.silent = {"kafka-0", "kafka-1", "kafka-2"}
    found = read(cluster)
    assert (found.partitions, found.quorum) == (None, None)
    assert found.troubles[0] == "no broker answers that could tell of the partitions."
    assert "?" in shown(tables(found))


def test_a_quorum_without_a_leader_hides_nothing_else() -> None:
    cluster = Cluster()
    cluster.told["quorum"] = None
    found = read(cluster)
    assert (found.partitions, found.quorum) == (PARTITIONS, None)
    assert found.troubles == ("kafka-2: the quorum has no leader",)
    assert "kafka-2: the quorum has no leader" in shown(tables(found))


def test_what_lacks_something_is_named() -> None:
    lacking = {
        "offline": {"count": 1, "first": ["orders-0"]},
        "underMinIsr": {"count": 0, "first": []},
        "underReplicated": {"count": 7, "first": ["orders-0", "orders-1"]},
    }
    brokers = {"0": {"leads": 3, "holds": 9, "inSync": 2, "alive": True}}
    status = replace(
        read(Cluster()),
        partitions={"count": 9, "lacking": lacking, "brokers": brokers},
        quorum={"leader": 0, "epoch": 9, "lags": {"0": 0, "1": None}},
    )
    text = shown(tables(status))
    assert "partitions: 9, 1 offline (orders-0); 7 under-replicated (orders-0, orders-1, …)" in text
    assert "2 of 9" in text
    assert "never caught up" in text
    assert "not in the quorum" in text


def test_one_without_a_checker_is_refused() -> None:
    api: Any = Cluster()
    with pytest.raises(Refused, match="has no checker beside its nodes"):
        status_of.read(api, replace(TARGET, checker_image=None))


def test_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    place: Any = type(
        "Place", (), {"namespace": "kafka", "selector": "app=kafka", "configuration": lambda self: None}
    )()
    cluster = Cluster()
    monkeypatch.setattr(cluster, "stateful_sets", lambda namespace, selector: [], raising=False)
    monkeypatch.setattr(target, "from_stack", lambda stack, drill: place)
    monkeypatch.setattr(target, "find", lambda place, sets: TARGET)
    monkeypatch.setattr(cli, "Kubernetes", lambda configuration: cluster)
    code, out = call("status", "--stack", "dev")
    assert code == 0
    assert "partitions: 9, all in sync" in out
    monkeypatch.setattr(cluster, "budget_list", [])
    cluster.silent = {"kafka-0", "kafka-1", "kafka-2"}
    code, out = call("status", "--stack", "dev")
    assert (code, "no broker answers" in out) == (0, True)
