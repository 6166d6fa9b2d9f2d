"""Between Pulumi's arguments and plain data. Unknown values become `UNKNOWN`: reading them raises nothing, and so
nothing passes because it could not be read.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import ResourceValidationArgs
from pulumi_policy.proxy import UnknownValueError, _is_unknown
from pulumi_policy.secret import Secret

from policies.manifest import UNKNOWN, Doc, Manifest
from policies.readers.program import COMPONENTS

_DEEPEST = 60  # levels; no manifest is deeper


def plain(value: Any, depth: int = 0) -> object:
    """The value of a property, without proxies."""
    if depth > _DEEPEST:
        return UNKNOWN
    if isinstance(value, Secret):
        return plain(value.value, depth)
    if isinstance(value, str):
        return UNKNOWN if _is_unknown(value) else _shared(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {_shared(str(key)): _entry(value, key, depth) for key in value}
    if isinstance(value, Sequence):
        return [_entry(value, index, depth) for index in range(len(value))]
    return UNKNOWN  # an asset or archive


def _shared(text: str) -> str:
    """The one object that all equal texts share: resources are alike, and all are held until the stack's policies."""
    return sys.intern(text) if type(text) is str else text


def _entry(holder: Any, key: Any, depth: int) -> object:
    try:
        return plain(holder[key], depth + 1)
    except UnknownValueError:
        return UNKNOWN


def kind_of(resource_type: str) -> tuple[str, str] | None:
    """Group and kind of a resource; None for what is no object of Kubernetes and no component of this project."""
    package, _, rest = resource_type.partition(":")
    module, _, kind = rest.partition(":")
    if package == "kubernetes" and "/" in module:
        group = module.partition("/")[0]
        return ("" if group == "core" else group), kind
    return (COMPONENTS, kind) if package == COMPONENTS else None


def object_of(args: ResourceValidationArgs) -> Manifest | None:
    """The Kubernetes object that a resource stands for, from its inputs."""
    kind = kind_of(args.resource_type)
    return Manifest(*kind, Doc(plain(args.props)), args.urn, args.name) if kind else None


def home_of(args: Any) -> str:
    """Which cluster a resource goes to, as far as Pulumi tells: its provider."""
    return args.provider.urn if args.provider else ""
