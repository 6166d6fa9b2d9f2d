"""How a stack's Kafka stands: asked of Kubernetes, and of the checkers beside its nodes."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from drills.errors import DrillError, Refused
from drills.kubernetes import Kubernetes
from drills.observe import ZONE_LABEL, budget_state, condition
from drills.target import Target

_AT_ONCE = 8  # pods that are asked at the same time
_SECONDS = 20.0
_CHECKER = "checker"


@dataclass(frozen=True)
class NodeStatus:
    """A node of Kafka."""

    pod: str
    id: int
    broker: bool
    controller: bool
    place: str = ""
    """The Kubernetes node; empty of a pod that has none."""
    zone: str = ""
    ready: bool = False
    trouble: str = ""
    """Why it is not ready."""
    disks: tuple[float, ...] = ()
    """How full each is, 0 to 1; none of a node that does not tell."""


@dataclass(frozen=True)
class Budget:
    """A disruption budget."""

    name: str
    allowed: int
    healthy: int
    expected: int


@dataclass(frozen=True)
class Status:
    """All of it; what could not be asked is missing, with the reason in `troubles`."""

    nodes: tuple[NodeStatus, ...]
    budgets: tuple[Budget, ...]
    partitions: Mapping[str, Any] | None = None
    """As `checker.live` tells them."""
    quorum: Mapping[str, Any] | None = None
    troubles: tuple[str, ...] = field(default=())


def read(kubernetes: Kubernetes, target: Target) -> Status:
    """How it stands now. Raises DrillError where Kubernetes does not answer."""
    if target.checker_image is None:
        raise Refused(
            f"{target.where} has no checker beside its nodes, which is asked. Use kafka-topics.sh --describe."
        )
    pods = {one["metadata"]["name"]: one for one in kubernetes.pods(target.namespace, target.selector)}
    places = {one["metadata"]["name"]: one for one in kubernetes.nodes()}
    names = [pod for one in target.sets for pod in one.pods]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        nodes = tuple(pool.map(lambda name: _node(kubernetes, target, name, pods.get(name), places), names))
    brokers = sorted((one for one in nodes if one.broker and one.disks), key=lambda one: not one.ready)
    troubles: list[str] = []
    found = {part: _asked(kubernetes, target, brokers, part, troubles) for part in ("partitions", "quorum")}
    return Status(
        nodes=nodes,
        budgets=tuple(_budget(one) for one in kubernetes.budgets(target.namespace) if budget_state(one, target, 0.0)),
        **found,
        troubles=tuple(troubles),
    )


def _node(
    kubernetes: Kubernetes, target: Target, name: str, pod: Mapping[str, Any] | None, places: Mapping[str, Any]
) -> NodeStatus:
    owner = target.set_of(name)
    assert owner
    node = NodeStatus(name, owner.id_of(name) or 0, owner.broker, owner.controller, trouble="there is no pod")
    if pod is None:
        return node
    place = pod["spec"].get("nodeName") or ""
    machine = places.get(place, {"metadata": {}})
    ready = condition(pod, "Ready")
    told: Mapping[str, Any] = {}
    trouble = "" if ready else _waiting(pod)
    if place and not condition(machine, "Ready"):  # nothing there would answer
        trouble = f"the node {place} is not ready"
    elif place:
        try:
            told = _part(kubernetes, target, name, "status")
        except DrillError as error:
            trouble = trouble or str(error)
    trouble = "; ".join(told.get("unready", [])) or trouble
    zone = machine["metadata"].get("labels", {}).get(ZONE_LABEL, "")
    disks = tuple(told.get("disks", {}).values())
    return NodeStatus(name, node.id, node.broker, node.controller, place, zone, ready, trouble, disks)


def _waiting(pod: Mapping[str, Any]) -> str:
    """What Kubernetes says of a pod that is not ready."""
    conditions = pod.get("status", {}).get("conditions") or []
    unscheduled: Mapping[str, Any] = next(
        (one for one in conditions if one["type"] == "PodScheduled" and one["status"] != "True"), {}
    )
    return str(unscheduled.get("message") or pod.get("status", {}).get("phase") or "unknown")


def _asked(
    kubernetes: Kubernetes, target: Target, brokers: Sequence[NodeStatus], part: str, troubles: list[str]
) -> Mapping[str, Any] | None:
    """Of the first broker that tells it; else why the last one does not."""
    trouble = f"no broker answers that could tell of the {part}."
    for broker in brokers:
        try:
            return _part(kubernetes, target, broker.pod, part)
        except DrillError as error:
            trouble = str(error)
    troubles.append(trouble)
    return None


def _part(kubernetes: Kubernetes, target: Target, pod: str, part: str) -> Mapping[str, Any]:
    command = ("python3", "-m", "checker.live", part)
    answer = kubernetes.exec(target.namespace, pod, _CHECKER, *command, seconds=_SECONDS)
    found: Mapping[str, Any] = json.loads(answer)[part]
    return found


def _budget(budget: Mapping[str, Any]) -> Budget:
    status = budget.get("status", {})
    return Budget(
        budget["metadata"]["name"],
        status.get("disruptionsAllowed") or 0,
        status.get("currentHealthy") or 0,
        status.get("expectedPods") or 0,
    )
