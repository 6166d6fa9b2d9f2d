"""A broker's disk that is full. Only small volumes are filled: a large one may be the node's own disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drills.drill import Drill
from drills.errors import NotApplicable
from drills.faults import undo
from drills.observe import condition
from drills.pods.manifests import LABELS, NAME

LARGEST = 4 * 2**30
"""Bytes of a file system that is filled."""
_FILE = "kafka-ha-drill.fill"
_POD = f"{NAME}-disk"
_SECONDS = 120.0
_FILL_SECONDS = 300.0


@contextmanager
def full(drill: Drill, pod: str) -> Iterator[None]:
    """No byte is free on the pod's disk, until the file that fills it is removed. A pod beside the broker does both:
    a broker with a full disk ends, and nothing can be run in its container then.
    """
    namespace, kubernetes = drill.target.namespace, drill.kubernetes
    kubernetes.create_pod(namespace, _helper(drill, pod))
    try:
        drill.wait("the pod that fills the disk runs", lambda: _runs(drill), _SECONDS)
        drill.say(f"fill the disk of {pod}")
        fill = f"dd if=/dev/zero of=/disk/{_FILE} bs=1M 2>/dev/null; sync; df -k /disk | tail -n 1"
        kubernetes.exec(namespace, _POD, "disk", "sh", "-c", fill, seconds=_FILL_SECONDS)
        yield
    finally:
        drill.say(f"the disk of {pod} has room again")
        remove = ("rm", "-f", f"/disk/{_FILE}")
        undo(drill, f"fill of the disk of {pod}", lambda: kubernetes.exec(namespace, _POD, "disk", *remove))
        undo(drill, f"pod {_POD}", lambda: kubernetes.delete_pod(namespace, _POD, 0))


def check(drill: Drill, pod: str) -> None:
    """Raises NotApplicable where the disk is too large to be filled."""
    path = _mount(drill, pod)
    owner = drill.target.set_of(pod)
    container = owner.container if owner else "kafka"
    line = drill.kubernetes.exec(drill.target.namespace, pod, container, "df", "-Pk", path).splitlines()[-1]
    size = int(line.split()[1]) * 1024
    if size > LARGEST:
        raise NotApplicable(
            f"the disk of {pod} has a file system of {size / 2**30:.0f} GiB; up to {LARGEST / 2**30:.0f} are filled."
        )


def _runs(drill: Drill) -> bool:
    return condition(drill.kubernetes.pod(drill.target.namespace, _POD) or {}, "Ready")


def _claim(pod: dict[str, Any]) -> tuple[str, str]:
    """Names of the first volume with a claim, and of the claim."""
    for volume in pod["spec"]["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            return volume["name"], claim["claimName"]
    raise NotApplicable(f"{pod['metadata']['name']} has no volume with a claim.")


def _mount(drill: Drill, name: str) -> str:
    pod = drill.kubernetes.pod(drill.target.namespace, name)
    if pod is None:
        raise NotApplicable(f"{name} is not there now.")
    volume, _ = _claim(pod)
    owner = drill.target.set_of(name)
    mounts = next(
        one["volumeMounts"] for one in pod["spec"]["containers"] if owner is None or one["name"] == owner.container
    )
    return str(next(one["mountPath"] for one in mounts if one["name"] == volume))


def _helper(drill: Drill, name: str) -> dict[str, Any]:
    pod = drill.kubernetes.pod(drill.target.namespace, name)
    if pod is None:
        raise NotApplicable(f"{name} is not there now.")
    _, claim = _claim(pod)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _POD, "labels": dict(LABELS)},
        "spec": {
            "nodeName": pod["spec"]["nodeName"],
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": pod["spec"].get("securityContext") or {},
            "containers": [
                {
                    "name": "disk",
                    "image": drill.target.image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sleep", "1000000"],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "volumeMounts": [{"name": "disk", "mountPath": "/disk"}],
                }
            ],
            "volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }
