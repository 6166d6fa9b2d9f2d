"""Pure: is a pod ready, and why pods are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolchain.standins.kubernetes.objects import Object, conditions, field, items, name_of, number, text
from toolchain.standins.kubernetes.wait.verdict import READY, Surroundings, Verdict


def pod(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """The pod is scheduled, initialized and ready, or has succeeded."""
    known = conditions(live)
    if text(live, "status", "phase") == "Succeeded":
        return READY
    for name in ("PodScheduled", "Initialized", "Ready"):
        if text(known.get(name), "status") != "True":
            return Verdict(False, f"Pod: waiting for {name}", reasons=pod_reasons(live) or [f"not {name}"])
    return READY


def pod_reasons(live: Mapping[str, Any]) -> list[str]:
    """Return why a pod is not ready: unschedulable, image not pulled, crashed…"""
    known = conditions(live)
    found = []
    if text(known.get("PodScheduled"), "status") == "False":
        found.append(f"[{text(known['PodScheduled'], 'reason')}] {text(known['PodScheduled'], 'message')}")
    for kind in ("initContainerStatuses", "containerStatuses"):
        for status in items(live, "status", kind):
            found += _container_reasons(status)
    ready = known.get("Ready")
    if not found and text(ready, "status") == "False" and text(ready, "message"):
        found.append(text(ready, "message"))
    return found


def _container_reasons(status: Mapping[str, Any]) -> list[str]:
    if status.get("ready"):
        return []
    found = []
    container = text(status, "name")
    reason = text(status, "state", "waiting", "reason")
    if reason and reason not in ("ContainerCreating", "PodInitializing"):
        message = text(status, "state", "waiting", "message")
        found.append(f"container {container}: [{reason}] {message}".rstrip())
    for where in ("state", "lastState"):
        ended = field(status, where, "terminated")
        if isinstance(ended, Mapping) and (number(ended, "exitCode") or where == "lastState"):
            found.append(
                f"container {container} ended with exit code {number(ended, 'exitCode')} "
                f"({text(ended, 'reason')}) {text(ended, 'message')}".rstrip()
            )
    return found


def reasons_of(pods: Iterable[Object]) -> list[str]:
    """Return the reasons of several pods, each with its pod's name."""
    return [f"pod {name_of(p)}: {reason}" for p in pods for reason in pod_reasons(p)]
