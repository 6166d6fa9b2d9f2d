"""A Kubernetes and its machines that are dictionaries: three zones with a node each, one more without a zone, and a
broker in each zone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from drills.drill import Drill, Options
from drills.errors import NotApplicable
from drills.kubernetes import Answer, ApiFailed, ExecFailed
from drills.machines import ABSENT, MachineFailed
from drills.model import BudgetState, Event, NodeState, Note, PartitionState, PodState, QuorumState
from drills.situation import Situation
from drills.target import NodeSet, Target

Object = dict[str, Any]

OWNED = [{"kind": "StatefulSet", "controller": True}]
ZONE = "topology.kubernetes.io/zone"
SET = NodeSet("kafka", 3, 0, broker=True, controller=True, labels={"app": "kafka"})
TARGET = Target(
    context="k3d-test",
    namespace="kafka",
    selector="app=kafka",
    sets=(SET,),
    image="apache/kafka:4.3.1",
    checker_image="python:3",
    bootstrap="kafka-0:9092,kafka-1:9092,kafka-2:9092",
    client_properties="acks=all\n",
)


def node(name: str, zone: str = "", *, ready: bool = True, **spec: Any) -> Object:
    labels = {"kubernetes.io/hostname": name, **({ZONE: zone} if zone else {})}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def pod(name: str, on: str | None, *, ready: bool = True, namespace: str = "kafka", **metadata: Any) -> Object:
    claims = [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}]
    mounts = [{"name": "data", "mountPath": "/var/lib/kafka/data"}]
    running = {"name": "kafka", "containerID": f"containerd://id-of-{name}"}
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "ownerReferences": OWNED, **metadata},
        "spec": {
            **({"nodeName": on} if on else {}),
            "volumes": claims,
            "containers": [{"name": "kafka", "volumeMounts": mounts}],
        },
        "status": {
            "phase": "Running" if on else "Pending",
            "podIP": f"10.0.0.{name[-1]}",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [running],
        },
    }


def volume(on: str, policy: str = "Delete") -> Object:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}]}
    affinity = {"required": {"nodeSelectorTerms": [term]}}
    return {"spec": {"persistentVolumeReclaimPolicy": policy, "nodeAffinity": affinity}}


class FakeKubernetes:
    """What is there, and what was done to it."""

    def __init__(self) -> None:
        self.node_list = {f"n{zone}": node(f"n{zone}", zone) for zone in "abc"} | {"server": node("server")}
        self.pod_list = {f"kafka-{number}": pod(f"kafka-{number}", f"n{zone}") for number, zone in enumerate("abc")}
        self.claims = {f"data-kafka-{number}": {"spec": {"volumeName": f"pv-{number}"}} for number in range(3)}
        self.volumes = {f"pv-{number}": volume(f"n{zone}") for number, zone in enumerate("abc")}
        self.done: list[tuple[Any, ...]] = []
        self.refusals = 0
        """How many evictions are refused from now on."""
        self.fails: set[str] = set()
        """Methods that fail."""
        self.exec_answers: dict[str, str | Exception] = {}
        """By a word of the command: what it prints, or how it fails."""
        self.on_delete: Callable[[str], None] = lambda name: None

    def _do(self, *what: Any) -> None:
        self.done.append(what)
        if what[0] in self.fails:
            raise ApiFailed(f"{what[0]} fails")

    def version(self) -> str:
        return "v1.34.4"

    def nodes(self) -> list[Object]:
        return list(self.node_list.values())

    def pods_on(self, name: str) -> list[Object]:
        return [one for one in self.pod_list.values() if one["spec"].get("nodeName") == name]

    def pods(self, namespace: str, labels: Any) -> list[Object]:
        return [one for one in self.pod_list.values() if one["metadata"]["namespace"] == namespace]

    def pod(self, namespace: str, name: str) -> Object | None:
        return self.pod_list.get(name)

    def claim(self, namespace: str, name: str) -> Object | None:
        return self.claims.get(name)

    def volume(self, name: str) -> Object | None:
        return self.volumes.get(name)

    def evict(self, namespace: str, name: str) -> Answer:
        self._do("evict", name)
        if self.refusals:
            self.refusals -= 1
            return Answer(False, "Cannot evict pod as it would violate the pod's disruption budget.")
        self.pod_list.pop(name, None)
        return Answer(True, "")

    def cordon(self, name: str, unschedulable: bool) -> None:
        self._do("cordon", name, unschedulable)

    def create_pod(self, namespace: str, manifest: Object) -> None:
        self._do("create_pod", manifest["metadata"]["name"])
        self.pod_list[manifest["metadata"]["name"]] = pod(manifest["metadata"]["name"], "na")

    def delete_pod(self, namespace: str, name: str, grace_seconds: int | None = None) -> None:
        self._do("delete_pod", name, grace_seconds)
        self.on_delete(name)

    def delete_node(self, name: str) -> None:
        self._do("delete_node", name)

    def delete_claim(self, namespace: str, name: str) -> None:
        self._do("delete_claim", name)

    def set_reclaim_policy(self, name: str, policy: str) -> None:
        self._do("set_reclaim_policy", name, policy)

    def delete_volume(self, name: str) -> None:
        self._do("delete_volume", name)

    def patch_template(self, namespace: str, name: str, template: Object) -> None:
        self._do("patch_template", name, template)

    def stateful_set(self, namespace: str, name: str) -> Object:
        status = {
            "observedGeneration": 2,
            "updatedReplicas": 3,
            "readyReplicas": 3,
            "currentRevision": "b",
            "updateRevision": "b",
        }
        return {"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": status}

    def exec(self, namespace: str, name: str, container: str, *command: str, seconds: float = 60) -> str:
        self._do("exec", name, container, *command)
        for word, answer in self.exec_answers.items():
            if word in " ".join(command):
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise ExecFailed(f"{command[0]} is not known")


class FakeMachines:
    """Machines that only remember; `reachable` are those that there are."""

    def __init__(self, *reachable: str) -> None:
        self.reachable = set(reachable)
        self.done: list[tuple[str, ...]] = []
        self.rules: set[tuple[str, ...]] = set()

    def check(self, node: str) -> None:
        if node not in self.reachable:
            raise NotApplicable(ABSENT.format(node=node))

    def kill(self, *nodes: str) -> None:
        self.done.append(("kill", *nodes))

    def start(self, *nodes: str) -> None:
        self.done.append(("start", *nodes))

    def remove(self, node: str) -> None:
        self.done.append(("remove", node))

    def add(self, name: str, zone_label: str) -> str:
        self.done.append(("add", zone_label))
        return "new"

    def run(self, node: str, *command: str) -> str:
        """iptables as it is; whatever else succeeds."""
        self.done.append(("run", node, *command))
        if command[0] == "iptables":
            action, rule = command[2], command[3:]
            if action == "-I":
                self.rules.add(rule)
            elif action == "-D":
                self.rules.remove(rule)
            elif action == "-C" and rule not in self.rules:
                raise MachineFailed("no such rule")
        return ""


@dataclass
class World:
    """A drill on all that, with what it recorded."""

    kubernetes: FakeKubernetes = field(default_factory=FakeKubernetes)
    machines: FakeMachines = field(default_factory=lambda: FakeMachines("na", "nb", "nc"))
    situation: Situation = field(default_factory=Situation)
    events: list[Event] = field(default_factory=list)

    def take(self, event: Event) -> None:
        self.events.append(event)
        self.situation.take(event)

    def drill(self, **options: Any) -> Drill:
        return Drill(
            self.kubernetes,  # type: ignore[arg-type]
            TARGET,
            self.machines,
            self.situation,
            self.take,
            Options(**{"hold": 0.01, **options}),
            load_node="server",
        )

    @property
    def notes(self) -> list[str]:
        return [one.text for one in self.events if isinstance(one, Note)]


def partition(number: int, leader: int | None, isr: tuple[int, ...] = (0, 1, 2), at: float = 0.0) -> PartitionState:
    return PartitionState(at=at, partition=number, leader=leader, replicas=(0, 1, 2), isr=isr, min_isr=2)


def whole(at: float = 0.0) -> list[Event]:
    """All is well: every broker leads one partition, broker 1 the quorum."""
    pods = [
        PodState(at=at, name=f"kafka-{n}", broker=n, node=f"n{z}", phase="Running", ready=True, terminating=False)
        for n, z in enumerate("abc")
    ]
    nodes = [NodeState(at=at, name=f"n{z}", zone=z, ready=True, schedulable=True) for z in "abc"]
    return [
        *pods,
        *nodes,
        NodeState(at=at, name="server", zone="", ready=True, schedulable=True),
        *(partition(number, number, at=at) for number in range(3)),
        QuorumState(at=at, leader=1, voters=(0, 1, 2)),
        BudgetState(at=at, name="kafka", allowed=1),
    ]


def world() -> World:
    found = World()
    for event in whole():
        found.situation.take(event)
    return found
