"""Pure: Service, Ingress, volumes and claims, quota, token Secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolchain.standins.kubernetes.objects import field, items, text
from toolchain.standins.kubernetes.wait.verdict import READY, Surroundings, Verdict


def service(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """A load balancer has its address; a Service with a selector has settled endpoints, none of them pending.

    Headless and ExternalName services, and those without selector, don't wait for pods.
    """
    if text(live, "spec", "type") == "LoadBalancer" and not items(live, "status", "loadBalancer", "ingress"):
        reason = "no address was allocated; does the cluster support load balancers?"
        return Verdict(False, "Service: waiting for an address", reasons=[reason])
    if not waits_for_pods(live):
        return READY
    if around.endpoints is None or not around.endpoints_settled:
        return Verdict(False, "Service: finding pods", reasons=["no endpoints yet"])
    pending = sum(len(items(s, "notReadyAddresses")) for s in items(around.endpoints, "subsets"))
    if pending:
        reason = f"{pending} selected pods are not ready"
        return Verdict(False, f"Service: {reason}", reasons=[reason])
    return READY


def waits_for_pods(live: Mapping[str, Any]) -> bool:
    """Tell whether the Service directs traffic to pods by itself."""
    return (
        bool(field(live, "spec", "selector"))
        and text(live, "spec", "type") != "ExternalName"
        and text(live, "spec", "clusterIP") != "None"
    )


def ingress(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """A controller has given the Ingress an address."""
    if items(live, "status", "loadBalancer", "ingress"):
        return READY
    return Verdict(False, "Ingress: waiting for an address", reasons=["no address was allocated"])


def volume(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """The volume is Available or Bound."""
    return _phase(live, "PersistentVolume", ("Available", "Bound"))


def claim(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """The claim is Bound, or Pending in a class that waits for the first pod."""
    waits = text(around.storage_class, "volumeBindingMode") == "WaitForFirstConsumer"
    return _phase(live, "PersistentVolumeClaim", ("Bound", "Pending") if waits else ("Bound",))


def _phase(live: Mapping[str, Any], kind: str, good: tuple[str, ...]) -> Verdict:
    phase = text(live, "status", "phase")
    if phase in good:
        return READY
    message = text(live, "status", "message")
    reason = f"phase is {phase or 'not set'}, not {' or '.join(good)}" + (f": {message}" if message else "")
    return Verdict(False, f"{kind}: {phase or 'pending'}", reasons=[reason])


def quota(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """The quota is in force."""
    if field(live, "spec", "hard") == field(live, "status", "hard"):
        return READY
    return Verdict(False, "ResourceQuota: waiting", reasons=["the quota is not in force yet"])


def token_secret(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """A service account's token has been filled in; other secrets are ready at once."""
    if text(live, "type") != "kubernetes.io/service-account-token" or live.get("data"):
        return READY
    return Verdict(False, "Secret: waiting for the token", reasons=["no token was filled in"])
