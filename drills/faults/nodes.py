"""Nodes that lose their power, for a while or for good."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drills.drill import Drill
from drills.faults import undo

_BACK_SECONDS = 180.0


@contextmanager
def lost(drill: Drill, *nodes: str) -> Iterator[None]:
    """They are off, all at once, and on again at the end."""
    names = ", ".join(nodes)
    try:
        drill.say(f"power off: {names}")
        drill.machines.kill(*nodes)
        yield
    finally:
        drill.say(f"power on: {names}")
        undo(drill, f"power of {names}", lambda: drill.machines.start(*nodes))
        undo(drill, f"{names} ready again", lambda: _wait_ready(drill, *nodes))


@contextmanager
def gone(drill: Drill, node: str, then: Callable[[str], None]) -> Iterator[None]:
    """It is off, and does not come back: at the end it is removed with its disks and another one in its zone takes its
    place, whose name `then` gets.
    """
    zone = drill.zone_of(node)
    try:
        drill.say(f"power off, for good: {node}")
        drill.machines.kill(node)
        yield
    finally:
        undo(drill, f"loss of {node}", lambda: _replace(drill, node, zone, then))


def _replace(drill: Drill, node: str, zone: str, then: Callable[[str], None]) -> None:
    drill.say(f"{node} and its disks are removed, and Kubernetes is told")
    drill.machines.remove(node)
    drill.kubernetes.delete_node(node)
    name = f"drill-{zone or 'node'}-{int(drill.situation.acknowledged)}"
    new = drill.machines.add(name, f"topology.kubernetes.io/zone={zone}")
    drill.say(f"{new} takes its place in {zone or 'no zone'}")
    _wait_ready(drill, new)
    then(new)


def _wait_ready(drill: Drill, *nodes: str) -> None:
    def ready() -> bool:
        found = [drill.situation.nodes.get(node) for node in nodes]
        return all(one is not None and one.ready for one in found)

    drill.wait(f"{', '.join(nodes)} ready", ready, _BACK_SECONDS)
