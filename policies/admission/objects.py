"""The rules that one object decides, as ValidatingAdmissionPolicies and their bindings.

Everything that a message says comes from the rule itself: its own words on a cluster that violates every rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from policies.admission import strimzi, workloads
from policies.admission.cel import Check, Target, used
from policies.configuration import Configuration, Level
from policies.rules import RULES, ClusterFacts, Limits, Outcome, Verdict, examine
from policies.rules.model import Fact, Listener, NodeGroup, PodSecurity, Replicas, Start, Storage

TARGETS: Final = (*workloads.TARGETS, *strimzi.TARGETS)
EXPORTED: Final = tuple(
    rule.id for rule in RULES if any(check.rule == rule.id for target in TARGETS for check in target.checks)
)
"""The rules that are exported, in their order."""

_API: Final = "admissionregistration.k8s.io/v1"
_PART_OF: Final = {"app.kubernetes.io/part-of": "kafka-ha", "app.kubernetes.io/component": "kafka-policies"}
# Objects that are going must be able to lose their finalizers.
_STAYS: Final = "!has(object.metadata.deletionTimestamp)"


class Actions(Enum):
    """What a violation does: `ENFORCE` follows each rule's own level, the others never refuse anything."""

    ENFORCE = "enforce"
    WARN = "warn"
    AUDIT = "audit"


@dataclass(frozen=True)
class Export:
    """What is set of an export. `namespaces` is a label selector of the namespaces that it holds in; None: all."""

    configuration: Configuration = field(default_factory=Configuration)
    actions: Actions = Actions.ENFORCE
    namespaces: Mapping[str, Any] | None = None


def objects(export: Export) -> Iterator[dict[str, Any]]:
    """A policy and a binding for each kind of object and level."""
    verdicts = _unsafe(export.configuration.limits)
    for target in TARGETS:
        for level in (Level.MANDATORY, Level.ADVISORY):
            checks = [one for one in target.checks if export.configuration.level(verdicts[one.rule]) is level]
            if checks:
                name = f"kafka-ha-{target.name}{'' if level is Level.MANDATORY else '-advice'}"
                yield _policy(name, target, checks, verdicts, export.configuration.limits)
                yield _binding(name, level, export)


def message(one: Check, verdict: Verdict) -> str:
    """What is told of a violation."""
    return f"{one.rule}: {one.required or verdict.required}. {verdict.remedy} ({verdict.why} {verdict.url})"


def _policy(
    name: str, target: Target, checks: list[Check], verdicts: Mapping[str, Verdict], limits: Limits
) -> dict[str, Any]:
    validations = [
        {"expression": one.holds(limits), "message": message(one, verdicts[one.rule]), "reason": "Invalid"}
        for one in checks
    ]
    variables = used(target.variables, [one["expression"] for one in validations])
    conditions = {"stays": _STAYS, "kafka": target.condition}
    rule = {
        "apiGroups": [target.group],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": list(target.resources),
    }
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": key, "expression": text} for key, text in conditions.items()],
        "variables": [{"name": key, "expression": text} for key, text in variables.items()],
        "validations": validations,
    }
    return _object("ValidatingAdmissionPolicy", name, spec)


def _binding(name: str, level: Level, export: Export) -> dict[str, Any]:
    refuses = export.actions is Actions.ENFORCE and level is Level.MANDATORY
    actions = ["Deny"] if refuses else ["Audit"] if export.actions is Actions.AUDIT else ["Warn", "Audit"]
    spec: dict[str, Any] = {"policyName": name, "validationActions": actions}
    if export.namespaces is not None:
        spec["matchResources"] = {"namespaceSelector": dict(export.namespaces)}
    return _object("ValidatingAdmissionPolicyBinding", name, spec)


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name, "labels": dict(_PART_OF)}, "spec": spec}


def _unsafe(limits: Limits) -> dict[str, Verdict]:
    """What each rule says of a cluster that violates it."""
    no: Fact[bool] = Fact("", False)
    yes: Fact[bool] = Fact("", True)
    one: Fact[int] = Fact("", 1)
    start = Start(
        headless=no,
        not_ready_addresses=no,
        fixed_node_id=Fact("", "1"),
        parallel=no,
        readiness_probe=no,
        liveness_on_cluster=yes,
        grace_period=Fact("", 0),
        image=Fact("", "latest"),
        requests=no,
        memory_limit=Fact(""),
    )
    storage = Storage(no, (no,), Fact("", ("ReadWriteMany",)))
    group = NodeGroup(
        path="",
        replicas=Fact("", 2),
        controller=True,
        spreads=Fact("", ()),
        storage=storage,
        start=start,
        security=PodSecurity(no, no, ("",)),
    )
    # Ordered start is judged only where there is a readiness probe.
    probed = NodeGroup("", Fact("", 2), controller=True, start=Start(parallel=no, readiness_probe=yes))
    listeners = (Listener("", Fact("", "PLAINTEXT")), Listener("", Fact("", "PLAINTEXT"), outside=True))
    facts = ClusterFacts(
        path="",
        brokers=one,
        default=Replicas("", one, one),
        others=(Replicas("", one, one, internal=True),),
        unclean_election=yes,
        voters=Fact("", 0),
        combined=yes,
        groups=(group, probed),
        listeners=Fact("", listeners),
        authorizer=no,
    )
    verdicts: dict[str, Verdict] = {}
    for verdict in examine(facts, limits):
        if verdict.outcome is Outcome.FAIL:
            verdicts.setdefault(verdict.rule, verdict)
    return verdicts
