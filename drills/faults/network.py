"""A broker that is cut off from all others and from clients, while its process and its node go on."""

from collections.abc import Iterator
from contextlib import contextmanager

from drills.drill import Drill
from drills.errors import NotApplicable
from drills.faults import undo
from drills.machines import MachineFailed

_MARK = "kafka-ha-drill"
_CHAIN = "FORWARD"


@contextmanager
def cut_off(drill: Drill, pod: str) -> Iterator[None]:
    """The node forwards nothing from or to the pod any more. The kubelet's probes don't pass there: they still come."""
    node, address = drill.node_of(pod), _address(drill, pod)
    rules = [(side, address, "-m", "comment", "--comment", _MARK, "-j", "DROP") for side in ("-s", "-d")]

    def heal() -> None:
        for rule in rules:
            while _is_there(drill, node, rule):
                drill.machines.run(node, "iptables", "-w", "-D", _CHAIN, *rule)

    try:
        drill.say(f"cut off: {pod} ({address})")
        for rule in rules:
            drill.machines.run(node, "iptables", "-w", "-I", _CHAIN, *rule)
        yield
    finally:
        drill.say(f"connected again: {pod}")
        undo(drill, f"the cut of {pod}", heal)


def check(drill: Drill, pod: str) -> None:
    """Raises NotApplicable where the node has no such rules."""
    node = drill.node_of(pod)
    drill.machines.check(node)
    try:
        drill.machines.run(node, "iptables", "-w", "-S", _CHAIN)
    except MachineFailed as error:
        raise NotApplicable(f"{node} can't drop packets: {error}") from None


def _is_there(drill: Drill, node: str, rule: tuple[str, ...]) -> bool:
    try:
        drill.machines.run(node, "iptables", "-w", "-C", _CHAIN, *rule)
    except MachineFailed:
        return False
    return True


def _address(drill: Drill, pod: str) -> str:
    found = drill.kubernetes.pod(drill.target.namespace, pod) or {}
    address = found.get("status", {}).get("podIP")
    if not address:
        raise NotApplicable(f"{pod} has no address now.")
    return str(address)
