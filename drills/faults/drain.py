"""A node in maintenance: no new pods, and those that are there are asked to leave, as `kubectl drain` does."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from drills.drill import Drill
from drills.errors import NotInTime
from drills.faults import undo

_RETRY_SECONDS = 1.0
_MIRROR = "kubernetes.io/config.mirror"


@contextmanager
def cordoned(drill: Drill, node: str) -> Iterator[None]:
    """No new pod is placed on the node. One that is cordoned already stays so."""
    state = drill.situation.nodes.get(node)
    if state is not None and not state.schedulable:
        yield
        return
    try:
        drill.say(f"cordon {node}")
        drill.kubernetes.cordon(node, True)
        yield
    finally:
        drill.say(f"uncordon {node}")
        undo(drill, f"cordon of {node}", lambda: drill.kubernetes.cordon(node, False))


@contextmanager
def drained(drill: Drill, node: str, seconds: float = 300) -> Iterator[None]:
    """No pod is left on the node but those of DaemonSets. Raises NotInTime when one has not gone by then."""
    with cordoned(drill, node):
        drill.say(f"drain {node}")
        evict_all(drill, node, seconds)
        yield


def evict_all(drill: Drill, node: str, seconds: float) -> None:
    """Asks each pod of the node to leave until it does; a refusal is asked about again."""
    deadline = time.monotonic() + seconds
    granted: set[str] = set()
    while pods := [pod for pod in drill.kubernetes.pods_on(node) if is_evicted(pod)]:
        for pod in pods:
            metadata = pod["metadata"]
            if metadata["uid"] not in granted and drill.evict(metadata["namespace"], metadata["name"]).granted:
                granted.add(metadata["uid"])
        if time.monotonic() > deadline:
            names = ", ".join(pod["metadata"]["name"] for pod in pods)
            raise NotInTime(f"not within {seconds:.0f} s: {node} is drained; left are {names}.")
        time.sleep(_RETRY_SECONDS)


def is_evicted(pod: Mapping[str, Any]) -> bool:
    """Whether a drain asks the pod to leave: not one of a DaemonSet or of the kubelet itself, none that has ended, and
    none that nobody would bring back.
    """
    metadata = pod["metadata"]
    owners = [owner for owner in metadata.get("ownerReferences") or [] if owner.get("controller")]
    return (
        bool(owners)
        and all(owner["kind"] != "DaemonSet" for owner in owners)
        and _MIRROR not in (metadata.get("annotations") or {})
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    )
