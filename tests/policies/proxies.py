"""Resources as Pulumi's SDK hands them to a policy: behind the proxies that it makes of the engine's messages."""

from collections.abc import Mapping
from typing import Any

from pulumi_policy import PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties, serialize_properties
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.manifest import UNKNOWN

_OPTIONS = PolicyResourceOptions(False, [], False, [], PolicyCustomTimeouts(0, 0, 0), [])


def secret(value: Any) -> dict[str, Any]:
    """A secret, as the engine sends it."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def sent(value: Any) -> Any:
    """A value as the engine sends it: numbers are floating, unknown values are texts that stand for them."""
    if value is UNKNOWN:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, dict):
        return {key: sent(one) for key, one in value.items()}
    if isinstance(value, list):
        return [sent(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def args(one: dict[str, Any], remediation: bool = False, config: Mapping[str, Any] | None = None) -> Any:
    """What a policy gets of an object; for a remediation secrets are kept as such."""
    group, _, version = str(one["apiVersion"]).rpartition("/")
    kind = f"kubernetes:{group or 'core'}/{version}:{one['kind']}"
    metadata = one.get("metadata")
    name = str(metadata.get("name")) if isinstance(metadata, dict) else "object"
    props = unknown_checking_proxy(deserialize_properties(sent(one), remediation))
    urn = f"urn:pulumi:test::other::{kind}::{name}"
    return ResourceValidationArgs(kind, props, urn, name, _OPTIONS, None, dict(config or {}), {})


def answered(props: Any) -> Any:
    """What goes back to the engine of a remediation."""
    return None if props is None else serialize_properties(props)
