"""Pure: StatefulSet, Deployment, DaemonSet, ReplicationController and Job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolchain.standins.kubernetes.objects import conditions, field, number, text
from toolchain.standins.kubernetes.wait.verdict import READY, Surroundings, Verdict


def _observed(live: Mapping[str, Any]) -> bool:
    return number(live, "status", "observedGeneration") >= number(live, "metadata", "generation")


def _wanted(live: Mapping[str, Any]) -> int:
    return 1 if field(live, "spec", "replicas") is None else number(live, "spec", "replicas")


def statefulset(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """All replicas are there, ready, and of the newest revision (OnDelete and partitions excepted)."""
    wanted = _wanted(live)
    if not _observed(live):
        return Verdict(False, "waiting for the StatefulSet controller", reasons=["not observed yet"])
    status = live.get("status") or {}
    ready, updated = number(status, "readyReplicas"), number(status, "updatedReplicas")
    here = number(status, "replicas")
    strategy = text(live, "spec", "updateStrategy", "type")
    partition = number(live, "spec", "updateStrategy", "rollingUpdate", "partition")
    current, newest = text(status, "currentRevision"), text(status, "updateRevision")
    if strategy == "OnDelete" and number(live, "metadata", "generation") > 1:
        rolled, all_current = True, True
    elif partition:
        rolled, all_current = updated >= max(wanted - partition, 0), True
    else:
        rolled = bool(current) and current == newest
        all_current = number(status, "currentReplicas") == wanted
    if wanted == here == ready and rolled and all_current:
        return READY
    counted = ready if rolled else min(ready, updated)
    reasons = [f"{counted} of {wanted} replicas are ready"]
    if not rolled:
        reasons.append(f"revision {newest or '?'} has not replaced {current or '?'} everywhere")
    return Verdict(False, f"StatefulSet: {counted}/{wanted} pods ready", reasons=reasons)


def deployment(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """The newest ReplicaSet has all its pods available and no old pod is left."""
    wanted = _wanted(live)
    if not _observed(live):
        return Verdict(False, "waiting for the Deployment controller", reasons=["not observed yet"])
    status = live.get("status") or {}
    updated, available = number(status, "updatedReplicas"), number(status, "availableReplicas")
    known = conditions(live)
    if updated == wanted == number(status, "replicas") == available and _is_true(known, "Available"):
        return READY
    reasons = [f"{min(updated, available)} of {wanted} updated replicas are available"]
    for name in ("Progressing", "Available", "ReplicaFailure"):
        bad = "True" if name == "ReplicaFailure" else "False"
        if text(known.get(name), "status") == bad:
            reasons.append(f"[{text(known[name], 'reason')}] {text(known[name], 'message')}")
    return Verdict(False, f"Deployment: {min(updated, available)}/{wanted} pods available", reasons=reasons)


def daemonset(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """Every node that should run a pod runs an updated, available one."""
    if not _observed(live):
        return Verdict(False, "waiting for the DaemonSet controller", reasons=["not observed yet"])
    status = live.get("status") or {}
    wanted = number(status, "desiredNumberScheduled")
    counts = {
        "scheduled": number(status, "currentNumberScheduled"),
        "updated": number(status, "updatedNumberScheduled"),
        "available": number(status, "numberAvailable"),
        "ready": number(status, "numberReady"),
    }
    if all(count >= wanted for count in counts.values()):
        return READY
    name, count = min(counts.items(), key=lambda item: item[1])
    reason = f"{count} of {wanted} pods are {name}"
    return Verdict(False, f"DaemonSet: {reason}", reasons=[reason])


def replication_controller(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """All replicas are available."""
    wanted, available = _wanted(live), number(live, "status", "availableReplicas")
    if wanted == available:
        return READY
    reason = f"{available} of {wanted} replicas are available"
    return Verdict(False, f"ReplicationController: {reason}", reasons=[reason])


def job(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """The Job is complete; one that has failed ends the wait."""
    known = conditions(live)
    if _is_true(known, "Complete"):
        return READY
    status = live.get("status") or {}
    counts = ", ".join(f"{number(status, name)} {name}" for name in ("active", "succeeded", "failed"))
    if _is_true(known, "Failed"):
        condition = known["Failed"]
        reason = f"[{text(condition, 'reason')}] {text(condition, 'message')}"
        return Verdict(False, f"Job: {counts}", failed=True, reasons=[reason])
    return Verdict(False, f"Job: {counts}", reasons=[f"not complete: {counts}"])


def _is_true(known: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    return text(known.get(name), "status") == "True"
