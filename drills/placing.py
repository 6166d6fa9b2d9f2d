"""Where the drill's pod runs: on a node that the drill can leave alone. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from drills.errors import NotApplicable
from drills.observe import ZONE_LABEL, condition, no_taint_refuses

Object = Mapping[str, Any]


def place(nodes: Sequence[Object], kafka_on: frozenset[str]) -> str:
    """A node that takes the pod, without a node of Kafka where there is one. Raises NotApplicable when none does.

    One that runs Kafka is not touched by faults of nodes.
    """
    fit = [node for node in nodes if _takes(node)]
    if not fit:
        raise NotApplicable("no node takes the drill's pod: none is ready and schedulable without a taint.")
    fit.sort(key=lambda node: (node["metadata"]["name"] in kafka_on, node["metadata"]["name"]))
    name: str = fit[0]["metadata"]["name"]
    return name


def touchable_zones(nodes: Mapping[str, str], load: str | None) -> frozenset[str]:
    """The zones, of those by node, that may be lost as a whole: not the one with the drill's pod."""
    return frozenset(zone for zone in nodes.values() if zone) - {nodes.get(load or "", "")}


def zone_of(node: Object) -> str:
    """The node's zone; empty where it has none."""
    return str(node["metadata"].get("labels", {}).get(ZONE_LABEL, ""))


def _takes(node: Object) -> bool:
    return condition(node, "Ready") and not node["spec"].get("unschedulable") and no_taint_refuses(node)
