"""From what the Kubernetes API tells to events. Pure."""

from collections.abc import Mapping
from typing import Any, cast

from drills.model import BudgetState, NodeState, PodState
from drills.target import Target

ZONE_LABEL = "topology.kubernetes.io/zone"
Object = Mapping[str, Any]

_PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")


def condition(thing: Object, name: str) -> bool:
    """Whether a pod's or a node's condition is true."""
    conditions = thing.get("status", {}).get("conditions") or []
    return any(one["type"] == name and one["status"] == "True" for one in conditions)


def pod_state(pod: Object, target: Target, at: float) -> PodState | None:
    """A pod's; None when it is none of Kafka's."""
    name = pod["metadata"]["name"]
    owner = target.set_of(name)
    if owner is None:
        return None
    phase = pod.get("status", {}).get("phase")
    return PodState(
        at=at,
        name=name,
        broker=cast(int, owner.id_of(name)),
        node=pod["spec"].get("nodeName") or "",
        phase=phase if phase in _PHASES else "Unknown",
        ready=condition(pod, "Ready"),
        terminating="deletionTimestamp" in pod["metadata"],
    )


def gone(pod: PodState, at: float) -> PodState:
    """The state of a pod that is no more."""
    return pod.model_copy(update={"at": at, "phase": "Gone", "ready": False, "terminating": False})


def node_state(node: Object, at: float) -> NodeState:
    """A node's."""
    return NodeState(
        at=at,
        name=node["metadata"]["name"],
        zone=node["metadata"].get("labels", {}).get(ZONE_LABEL, ""),
        ready=condition(node, "Ready"),
        schedulable=not node["spec"].get("unschedulable"),
    )


def budget_state(budget: Object, target: Target, at: float) -> BudgetState | None:
    """A budget's; None when it covers no pod of Kafka's. Only `matchLabels` is read, which budgets of Kafka use."""
    asked = budget["spec"].get("selector", {}).get("matchLabels") or {}
    if not any(asked.items() <= dict(one.labels).items() for one in target.sets):
        return None
    allowed = budget.get("status", {}).get("disruptionsAllowed") or 0
    return BudgetState(at=at, name=budget["metadata"]["name"], allowed=allowed)


def no_taint_refuses(node: Object) -> bool:
    """Whether a pod without tolerations may be placed and stay on the node."""
    taints = node["spec"].get("taints") or []
    return all(taint["effect"] == "PreferNoSchedule" for taint in taints)
