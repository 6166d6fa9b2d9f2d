"""Pure: which rule judges which kind, and the conditions that a user may name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from toolchain.standins.kubernetes.errors import PluginError, Unsupported
from toolchain.standins.kubernetes.naming import Kind
from toolchain.standins.kubernetes.objects import conditions, field, text
from toolchain.standins.kubernetes.wait import others, workloads
from toolchain.standins.kubernetes.wait.pods import pod
from toolchain.standins.kubernetes.wait.verdict import READY, Rule, Surroundings, Verdict

RULES: Final[dict[tuple[str, str], Rule]] = {
    ("apps", "StatefulSet"): workloads.statefulset,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "DaemonSet"): workloads.daemonset,
    ("batch", "Job"): workloads.job,
    ("", "Pod"): pod,
    ("", "ReplicationController"): workloads.replication_controller,
    ("", "Service"): others.service,
    ("", "PersistentVolume"): others.volume,
    ("", "PersistentVolumeClaim"): others.claim,
    ("", "ResourceQuota"): others.quota,
    ("", "Secret"): others.token_secret,
    ("networking.k8s.io", "Ingress"): others.ingress,
}
# Judged on refresh too: an object that is not ready is reported, though kept.
READ_KINDS: Final = frozenset({"StatefulSet", "Deployment", "DaemonSet", "Job", "Pod", "Service", "Ingress"})
# Kinds whose deletion is not waited for either, with the skipAwait annotation.
SKIPPED_ON_DELETE: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)


def rule_for(kind: Kind) -> Rule | None:
    """Return the rule that judges a kind, None when it is ready as soon as it exists."""
    return RULES.get((kind.group, kind.name))


def own_rule(written: str) -> Rule:
    """Return the rule of a `pulumi.com/waitFor` annotation.

    Allowed: `condition=Type`, `condition=Type=Status`, `jsonpath={.a.b}`, `jsonpath={.a.b}=value`, or a JSON list
    of these, all of which must hold. Raises Unsupported for richer paths, PluginError for anything else.
    """
    try:
        listed = json.loads(written)
    except ValueError:
        listed = written
    parts = [_part(w) for w in (listed if isinstance(listed, list) else [written])]
    if not parts:
        raise PluginError("pulumi.com/waitFor: the list is empty; name at least one condition")

    def judge(live: Mapping[str, Any], around: Surroundings) -> Verdict:
        return next((v for v in (rule(live, around) for rule in parts) if not v.done), READY)

    return judge


def _part(written: Any) -> Rule:
    if isinstance(written, str) and written.startswith("condition="):
        name, _, wanted = written.removeprefix("condition=").partition("=")
        return lambda live, around: _holds(
            text(conditions(live).get(name), "status").lower() == (wanted or "true").lower(), written
        )
    if isinstance(written, str) and written.startswith("jsonpath="):
        match_ = re.fullmatch(r"jsonpath=\{?((?:\.[A-Za-z0-9_-]+)+)\}?(?:=(.*))?", written)
        if match_ is None:
            raise Unsupported(f"pulumi.com/waitFor {written!r} (only plain paths such as jsonpath={{.a.b}}=c)")
        path, value = match_[1].strip(".").split("."), match_[2]
        return lambda live, around: _holds(_fits(field(live, *path), value), written)
    raise PluginError(f"pulumi.com/waitFor {written!r}: must start with condition= or jsonpath=")


def _fits(found: Any, value: str | None) -> bool:
    if found is None or value is None:
        return found is not None
    shown = str(found).lower() if isinstance(found, bool) else str(found)
    return shown == value.strip("'\"")


def _holds(holds: bool, written: str) -> Verdict:
    return READY if holds else Verdict(False, f"waiting for {written}", reasons=[f"{written} does not hold"])
