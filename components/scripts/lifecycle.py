"""The life of a local cluster, the same for every kind: created once, adopted when it fits, never lost by accident."""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any, NoReturn, Protocol

from components.scripts.process import Refused, main, progress, run

ZONE_LABEL = "topology.kubernetes.io/zone"
SPEC_VARIABLE = "CLUSTER"
_API_SECONDS = 60  # until a started cluster's API answers with all its nodes


@dataclass(frozen=True)
class Spec:
    """What is asked for. `owner` is the stack, `fingerprint` changes with whatever makes another cluster of it."""

    name: str
    owner: str
    fingerprint: str
    zones: tuple[str, ...]
    nodes_per_zone: int
    options: dict[str, Any]
    """What only one kind has."""

    @classmethod
    def from_environment(cls) -> "Spec":
        """The spec in the variable that the command was given."""
        data = json.loads(os.environ[SPEC_VARIABLE])
        return cls(**{**data, "zones": tuple(data["zones"])})

    def to_json(self) -> str:
        """What `from_environment` reads."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Found:
    """A cluster of that name that is there already; owner and fingerprint are empty when another program made it."""

    owner: str = ""
    fingerprint: str = ""
    zones: Mapping[str, int] = field(default_factory=dict)
    """How many nodes each zone has; empty when its API does not answer."""


class Decision(Enum):
    """What to do about the cluster."""

    CREATE = auto()
    ADOPT = auto()
    RECREATE = auto()


class Tool(Protocol):
    """What a kind has to bring."""

    spec: Spec
    attempts: int
    """How often a creation that fails may be tried."""

    def check(self) -> None:
        """Raises Refused where the kind can't work at all."""

    def find(self) -> Found | None:
        """The cluster of that name, without its zones."""

    def create(self) -> None:
        """Makes the cluster."""

    def start(self) -> None:
        """Starts it where it is stopped; does nothing where it runs."""

    def complete(self, kubeconfig: Path) -> None:
        """Puts in what the kind adds to a running cluster; may be called again."""

    def delete(self) -> None:
        """Deletes it."""

    def kubeconfig(self) -> str:
        """The kubeconfig, complete in itself."""


def decide(found: Found | None, spec: Spec) -> Decision:
    """What to do about a cluster of that name. Raises Refused when it is not this stack's to change."""
    if found is None:
        return Decision.CREATE
    fits = _is_whole(found.zones, spec) and set(found.zones) == set(spec.zones)
    asked = f"{', '.join(spec.zones)} with {spec.nodes_per_zone} nodes each"
    if not found.owner:
        if fits:
            return Decision.ADOPT
        there = ", ".join(f"{zone} ({count})" for zone, count in sorted(found.zones.items())) or "none that answers"
        raise Refused(
            f"kafka-ha:cluster.name: got {spec.name}, but a cluster of that name exists with other zones: {there}, not "
            f"{asked}. Choose another name, or delete that cluster."
        )
    if found.owner != spec.owner:
        raise Refused(
            f"kafka-ha:cluster.name: got {spec.name}, but that cluster belongs to the stack {found.owner}. "
            "Choose another name."
        )
    if found.fingerprint != spec.fingerprint:
        raise Refused(
            f"kafka-ha:cluster: the cluster {spec.name} of this stack exists with other settings than asked for "
            f"({asked}). Delete it, with its data, or choose another name."
        )
    # Of this stack and as asked for, yet not whole: an interrupted creation, so nothing ever ran on it.
    return Decision.ADOPT if fits else Decision.RECREATE


def command(tool: Tool) -> NoReturn:
    """What a kind's script does: the action that the command line names."""
    main({"create": lambda: create(tool), "delete": lambda: delete(tool)})


def create(tool: Tool) -> None:
    """Makes sure that the cluster is there and prints its kubeconfig."""
    spec = tool.spec
    tool.check()
    found = tool.find()
    if found:
        found = Found(found.owner, found.fingerprint, _zones_when_started(tool))
    decision = decide(found, spec)
    progress(f"cluster {spec.name}: {decision.name.lower()}")
    if decision is Decision.ADOPT:
        _complete(tool)
    else:
        _make(tool, again=decision is Decision.RECREATE)
    print(tool.kubeconfig())


def _make(tool: Tool, *, again: bool) -> None:
    for attempts_left in reversed(range(tool.attempts)):
        if again:
            tool.delete()
        try:
            _make_once(tool)
            return
        except Refused as error:
            if not attempts_left:
                raise
            progress(f"cluster {tool.spec.name}: {error} Trying once more.")
            again = True


def _make_once(tool: Tool) -> None:
    tool.create()
    _complete(tool)
    if not _is_whole(_zones_when_complete(tool), tool.spec):
        raise Refused(f"the nodes of {tool.spec.name} are not ready after {_API_SECONDS} s. Run it again.")


def _complete(tool: Tool) -> None:
    with _kubeconfig_file(tool) as path:
        tool.complete(Path(path.name))


def delete(tool: Tool) -> None:
    """Deletes the cluster if this stack made it; one that was adopted stays."""
    found = tool.find()
    if found is None:
        return
    if found.owner != tool.spec.owner:
        progress(f"cluster {tool.spec.name} was adopted, not made by this stack: it stays.")
        return
    tool.delete()


def _is_whole(zones: Mapping[str, int], spec: Spec) -> bool:
    return all(zones.get(zone, 0) >= spec.nodes_per_zone for zone in spec.zones)


def _zones_when_started(tool: Tool) -> dict[str, int]:
    """Like `_zones_when_complete`; empty when it can't be started, as after an interrupted creation."""
    try:
        tool.start()
        return _zones_when_complete(tool)
    except Refused as error:
        progress(f"cluster {tool.spec.name} does not start: {error}")
        return {}


def _zones_when_complete(tool: Tool) -> dict[str, int]:
    """How many ready nodes each zone has, as soon as it is what the spec asks for, else what it is after a while."""
    with _kubeconfig_file(tool) as path:
        deadline = time.monotonic() + _API_SECONDS
        while True:
            zones = _zones(Path(path.name))
            foreign = set(zones) - set(tool.spec.zones)
            if _is_whole(zones, tool.spec) or foreign or time.monotonic() > deadline:
                return zones
            time.sleep(1)


def _zones(kubeconfig: Path) -> dict[str, int]:
    """How many ready nodes each zone has; empty when the API does not answer."""
    try:
        nodes = json.loads(run("kubectl", "--kubeconfig", str(kubeconfig), "get", "nodes", "-o", "json", timeout=10))
    except Refused:
        return {}
    return dict(
        Counter(
            node["metadata"]["labels"][ZONE_LABEL]
            for node in nodes["items"]
            if ZONE_LABEL in node["metadata"]["labels"]
            and any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", []))
        )
    )


def _kubeconfig_file(tool: Tool) -> "tempfile._TemporaryFileWrapper[str]":
    file = tempfile.NamedTemporaryFile("w", suffix=".kubeconfig")  # noqa: SIM115 - the caller closes it
    file.write(tool.kubeconfig())
    file.flush()
    return file
