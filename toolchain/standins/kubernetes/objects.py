"""Pure helpers on Kubernetes objects as plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from toolchain.standins.properties import Secret, Unknown

Object = dict[str, Any]

AUTONAMED: Final = "pulumi.com/autonamed"
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
WAIT_FOR: Final = "pulumi.com/waitFor"
TIMEOUT_SECONDS: Final = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY: Final = "pulumi.com/replaceUnready"
PATCH_FORCE: Final = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"

# Set by the server; never an input.
_SERVER_METADATA: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
# Schema keywords of custom resource definitions, which Pulumi's SDKs write with underscores.
_DASHED: Final = {
    name.replace("-", "_"): name
    for name in (
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    )
}
_UNDERSCORED: Final = {dashed: name for name, dashed in _DASHED.items()}


def field(obj: Any, *path: str) -> Any:
    """Return what is at the path, None when any part of it is missing or not an object."""
    for key in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(key)
    return obj


def text(obj: Any, *path: str) -> str:
    """Return the string at the path, "" when it is missing, unknown or no string."""
    found = field(obj, *path)
    return found if isinstance(found, str) else ""


def number(obj: Any, *path: str) -> int:
    """Return the whole number at the path, 0 when it is missing."""
    found = field(obj, *path)
    return int(found) if isinstance(found, int | float) else 0


def items(obj: Any, *path: str) -> list[Any]:
    """Return the list at the path, [] when it is missing."""
    found = field(obj, *path)
    return found if isinstance(found, list) else []


def name_of(obj: Mapping[str, Any]) -> str:
    """Return metadata.name, "" when missing or unknown."""
    return text(obj, "metadata", "name")


def namespace_of(obj: Mapping[str, Any]) -> str:
    """Return metadata.namespace, "" when missing or unknown."""
    return text(obj, "metadata", "namespace")


def annotation(obj: Mapping[str, Any], key: str) -> str:
    """Return an annotation's value, "" when missing or unknown."""
    return text(obj, "metadata", "annotations", key)


def is_true(obj: Mapping[str, Any], key: str) -> bool:
    """Tell whether the annotation is "true"."""
    return annotation(obj, key) == "true"


def is_named(obj: Mapping[str, Any]) -> bool:
    """Tell whether metadata.name is given, known or not."""
    metadata = obj.get("metadata")
    if isinstance(metadata, Unknown):
        return True
    name = field(obj, "metadata", "name")
    return isinstance(name, Unknown) or bool(name)


def set_metadata(obj: Object, key: str, value: Any) -> None:
    """Set metadata.<key> unless metadata as a whole is not known yet."""
    metadata = obj.get("metadata")
    if metadata is None:
        metadata = obj["metadata"] = {}
    if isinstance(metadata, dict):
        metadata[key] = value


def set_annotation(obj: Object, key: str, value: str) -> None:
    """Set an annotation unless the annotations as a whole are not known yet."""
    annotations = field(obj, "metadata", "annotations")
    if annotations is None:
        set_metadata(obj, "annotations", {key: value})
    elif isinstance(annotations, dict):
        annotations[key] = value


def rebuild(value: Any, key: Callable[[str], str] = str, drop_nulls: bool = False) -> Any:
    """Return a deep copy with keys renamed, secrets opened, and null fields of objects left out if asked."""
    if isinstance(value, Secret):
        return rebuild(value.value, key, drop_nulls)
    if isinstance(value, Mapping):
        return {key(k): rebuild(v, key, drop_nulls) for k, v in value.items() if not (drop_nulls and v is None)}
    if isinstance(value, list):
        return [rebuild(v, key, drop_nulls) for v in value]
    return value


def from_properties(properties: Mapping[str, Any]) -> Object:
    """Return Pulumi properties as a Kubernetes object: no secrets, no nulls, dashed schema keywords."""
    built: Object = rebuild(properties, lambda k: _DASHED.get(k, k), drop_nulls=True)
    return built


def to_properties(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Kubernetes object as Pulumi properties."""
    built: dict[str, Any] = rebuild(obj, lambda k: _UNDERSCORED.get(k, k))
    return built


def without_server_metadata(obj: Mapping[str, Any]) -> Object:
    """Return the object without the metadata that only the server sets."""
    copy = dict(obj)
    if isinstance(copy.get("metadata"), Mapping):
        copy["metadata"] = {k: v for k, v in copy["metadata"].items() if k not in _SERVER_METADATA}
    return copy


def conditions(obj: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return status.conditions by their type."""
    return {text(c, "type"): c for c in items(obj, "status", "conditions") if isinstance(c, Mapping)}


def owned_by(candidates: Iterable[Object], uid: str) -> list[Object]:
    """Return those whose owner references name the uid."""
    return [c for c in candidates if any(text(r, "uid") == uid for r in items(c, "metadata", "ownerReferences"))]
