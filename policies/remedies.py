"""Remedies that are safe to apply to what a program asked for. Nothing is changed unless a team opts in."""

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any

from pulumi_policy import ResourceValidationArgs

from policies.adapter import kind_of, plain
from policies.configuration import Configuration, Level
from policies.manifest import Doc, Manifest
from policies.readers import plain as workloads
from policies.rules.spread import RULES as _SPREAD_RULES
from policies.world import World

_GRACE = 120  # seconds
_QUORUM_PORT = 9093


def remedy(args: ResourceValidationArgs, configuration: Configuration, today: date) -> Any:
    """The properties of a broker's workload or Service, set right by the rules as they are configured; None where
    nothing is to be done.
    """
    kind = kind_of(args.resource_type)
    if kind not in (("apps", "StatefulSet"), ("", "Service")):
        return None
    one = Manifest(*kind, Doc(plain(args.props)), args.urn, args.name)
    # The SDK hands out proxies here: written through them, secrets and unknown values stay what they are.
    target = copy.deepcopy(args.props)
    if kind[1] == "Service":
        changed = configuration.levels.get("not-ready-addresses") is not Level.DISABLED and _service(one, target)
    else:
        changed = _workload(one, target, configuration, today)
    return target if changed else None


def _service(one: Manifest, target: Any) -> bool:
    voting = any(
        port["port"].integer().value == _QUORUM_PORT or port["name"].value == "controller"
        for port in one.spec("ports").each()
    )
    quorum = voting and "kafka" in f"{one.name}{one.spec('selector').value}".lower()
    if one.spec("clusterIP").value != "None" or not quorum or not one.spec("publishNotReadyAddresses").absent:
        return False
    target["spec"]["publishNotReadyAddresses"] = True
    return True


def _workload(one: Manifest, target: Any, configuration: Configuration, today: date) -> bool:
    facts = next(iter(workloads.read(World([one], complete=False), one)), None)
    if facts is None or not facts.groups:
        return False
    limits = configuration.limits
    holding = {
        rule
        for rule in ("zone-spread", "host-spread", "grace-period")
        if configuration.levels.get(rule) is not Level.DISABLED and not configuration.exempted(facts, rule, today)
    }
    pod = target["spec"]["template"]["spec"]
    labels = one.spec("template", "metadata", "labels").value
    changed = False
    if one.spec("template", "spec", "topologySpreadConstraints").absent and isinstance(labels, Mapping):
        selector = one.spec("selector", "matchLabels").value
        wanted = dict(selector) if isinstance(selector, Mapping) else dict(labels)
        checks = {rule.id: rule.check for rule in _SPREAD_RULES}
        missing = [
            key
            for rule, key in (("zone-spread", limits.zone_key), ("host-spread", limits.host_key))
            if rule in holding and any(checks[rule](facts, limits))
        ]
        if missing:
            pod["topologySpreadConstraints"] = [_constraint(key, wanted) for key in missing]
            changed = True
    grace = one.spec("template", "spec", "terminationGracePeriodSeconds")
    seconds = grace.integer()
    short = grace.absent or (seconds.value is not None and seconds.value < limits.minimum_grace_period)
    if short and "grace-period" in holding:
        pod["terminationGracePeriodSeconds"] = max(_GRACE, limits.minimum_grace_period)
        changed = True
    return changed


def _constraint(key: str, labels: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "topologyKey": key,
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": dict(labels)},
    }
