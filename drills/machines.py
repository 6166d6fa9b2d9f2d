"""Power and disks of the machines that are Kubernetes nodes, where this machine has a hand on them: k3d's, which are
containers of its Docker.
"""

import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from drills.errors import DrillError, NotApplicable

_SECONDS = 300
_CLUSTER = "k3d.cluster"
ABSENT = "no container of this machine's Docker is the node {node}: only nodes of k3d can be killed or reached into."


class MachineFailed(DrillError):
    """docker or k3d ended with an error."""


class Machines(Protocol):
    """The nodes' machines. Raises NotApplicable where they are out of reach, MachineFailed."""

    def check(self, node: str) -> None:
        """Raises NotApplicable when the node is out of reach."""

    def kill(self, *nodes: str) -> None:
        """Cuts their power, all at once."""

    def start(self, *nodes: str) -> None:
        """Gives it back; nodes that run are left alone."""

    def remove(self, node: str) -> None:
        """Takes it away for good, with its disks."""

    def add(self, name: str, zone_label: str) -> str:
        """A new one with that label; its name as a Kubernetes node."""

    def run(self, node: str, *command: str) -> str:
        """Standard output of a command there, as root."""


class K3d:
    """Nodes that are containers. `nodes` are those that were found so, with the cluster's name."""

    def __init__(self, cluster: str, nodes: Iterable[str]) -> None:
        self._cluster, self._nodes = cluster, set(nodes)

    def check(self, node: str) -> None:
        """See Machines."""
        if node not in self._nodes:
            raise NotApplicable(ABSENT.format(node=node))

    def kill(self, *nodes: str) -> None:
        """See Machines."""
        self._check_all(nodes)
        _run("docker", "kill", *nodes)

    def start(self, *nodes: str) -> None:
        """See Machines."""
        self._check_all(nodes)
        _run("docker", "start", *nodes)

    def remove(self, node: str) -> None:
        """See Machines."""
        self.check(node)
        _run("k3d", "node", "delete", node)
        self._nodes.discard(node)

    def add(self, name: str, zone_label: str) -> str:
        """See Machines."""
        arguments = ["--cluster", self._cluster, "--role", "agent", "--k3s-node-label", zone_label, "--wait"]
        _run("k3d", "node", "create", name, *arguments)
        node = f"k3d-{name}-0"  # k3d's way of naming
        self._nodes.add(node)
        return node

    def run(self, node: str, *command: str) -> str:
        """See Machines."""
        self.check(node)
        return _run("docker", "exec", node, *command)

    def _check_all(self, nodes: Iterable[str]) -> None:
        for node in nodes:
            self.check(node)


class OutOfReach:
    """Nodes of which only the Kubernetes API tells."""

    def check(self, node: str) -> None:
        """See Machines."""
        raise NotApplicable(ABSENT.format(node=node))

    def kill(self, *nodes: str) -> None:
        """See Machines."""
        self.check(nodes[0])

    start = kill

    def remove(self, node: str) -> None:
        """See Machines."""
        self.check(node)

    def add(self, name: str, zone_label: str) -> str:
        """See Machines."""
        raise NotApplicable(ABSENT.format(node=name))

    def run(self, node: str, *command: str) -> str:
        """See Machines."""
        raise NotApplicable(ABSENT.format(node=node))


def find(nodes: Iterable[Mapping[str, Any]]) -> Machines:
    """The machines of these Kubernetes nodes. A container counts only when it has the node's address too: a name
    alone may be that of a node of another cluster.
    """
    columns = '{{.Names}}\t{{.Label "k3d.cluster"}}'
    try:
        listed = _run("docker", "ps", "--all", "--filter", f"label={_CLUSTER}", "--format", columns)
        clusters = dict(line.split("\t", 1) for line in listed.splitlines())
        there = {
            name: clusters[name]
            for name, addresses in ((node["metadata"]["name"], _addresses(node)) for node in nodes)
            if name in clusters and _address(name) in addresses
        }
    except MachineFailed:
        return OutOfReach()
    if len(names := set(there.values())) != 1:
        return OutOfReach()
    return K3d(names.pop(), there)


def _addresses(node: Mapping[str, Any]) -> set[str]:
    listed = node.get("status", {}).get("addresses") or []
    return {one["address"] for one in listed if one["type"] == "InternalIP"}


def _address(container: str) -> str:
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    return (_run("docker", "inspect", "-f", form, container).split() or [""])[0]


def _run(*command: str) -> str:
    try:
        # A session of its own: Ctrl-C at the terminal is the drill's to heed, not that of what heals it.
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, start_new_session=True
        )
    except FileNotFoundError:
        raise MachineFailed(f"{command[0]} is not on PATH.") from None
    except subprocess.TimeoutExpired:
        raise MachineFailed(f"{command[0]} {command[1]} did not end within {_SECONDS} s.") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise MachineFailed(f"{' '.join(command[:3])}: {said[-1] if said else 'failed'}")
    return done.stdout
