"""Pure: inputs, live objects and the state that keeps both."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from toolchain.standins.kubernetes.naming import Kind
from toolchain.standins.kubernetes.objects import (
    Object,
    field,
    from_properties,
    text,
    to_properties,
    without_server_metadata,
)
from toolchain.standins.properties import Secret, mark_secrets

_INPUTS: Final = "__inputs"
_API_VERSION: Final = "__initialApiVersion"
_FIELD_MANAGER: Final = "__fieldManager"
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
# Maps of the user's own strings: an empty string means something there.
_STRING_MAPS: Final = frozenset({"annotations", "labels", "matchLabels", "nodeSelector", "selector", "data"})


def normalize(obj: Object) -> Object:
    """Return inputs in the form in which the server keeps them, so that equal ones compare as equal."""
    obj = without_server_metadata(obj)
    kind = str(obj.get("kind"))
    if kind == "Secret" and obj.get("apiVersion") == "v1":
        return _normalized_secret(obj)
    if kind == "CustomResourceDefinition":
        obj = {k: v for k, v in obj.items() if k != "status"}
        if field(obj, "spec", "preserveUnknownFields") is False:
            obj["spec"] = {k: v for k, v in obj["spec"].items() if k != "preserveUnknownFields"}
    return obj


def _normalized_secret(obj: Object) -> Object:
    data = obj.get("data")
    data = {k: _recoded(v) for k, v in data.items()} if isinstance(data, dict) else data
    strings = obj.get("stringData")
    if isinstance(strings, dict) and strings:
        encoded = {k: base64.b64encode(v.encode()).decode() if isinstance(v, str) else v for k, v in strings.items()}
        data = {**(data if isinstance(data, dict) else {}), **encoded}
        obj = {k: v for k, v in obj.items() if k != "stringData"}
    return obj if data is None else {**obj, "data": data}


def _recoded(value: Any) -> Any:
    """Return base64 text without the line breaks and blanks that the server drops."""
    try:
        return base64.b64encode(base64.b64decode(value)).decode() if isinstance(value, str) else value
    except (binascii.Error, ValueError):
        return value


def prune(live: Any, shape: Any, *, keep_empty: bool = False, parent: str = "") -> Any:
    """Return of `live` only what `shape` (the inputs that made it) has too.

    With `keep_empty`, empty values of the shape that the server leaves out of its answers are kept, so that they
    aren't taken for removed ones; not so the user's own strings, such as labels.
    """
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        kept = {k: prune(v, shape[k], keep_empty=keep_empty, parent=k) for k, v in live.items() if k in shape}
        if keep_empty and parent not in _STRING_MAPS:
            kept |= {k: v for k, v in shape.items() if k not in live and _omitted_when_empty(v)}
        return kept
    if isinstance(live, list) and isinstance(shape, list):
        pairs = zip(live, shape, strict=False)
        return [prune(a, b, keep_empty=keep_empty, parent=parent) for a, b in pairs]
    return live


def _omitted_when_empty(value: Any) -> bool:
    return value is False or value in (0, "", [], {})


def imported_inputs(live: Object) -> Object:
    """Return what a program would say to get this live object: all but what only the server sets."""
    obj = {k: v for k, v in without_server_metadata(live).items() if k != "status"}
    metadata = dict(obj.get("metadata") or {})
    dropped = ("deployment.kubernetes.io/revision", _LAST_APPLIED)
    if isinstance(metadata.get("annotations"), Mapping):
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k not in dropped}
        if not metadata["annotations"]:
            del metadata["annotations"]
    return {**obj, "metadata": metadata}


def checkpoint(
    inputs: Object, live: Object, pattern: Mapping[str, Any], api_version: str, manager: str
) -> dict[str, Any]:
    """Return what the engine keeps: the live object, and under internal keys the inputs that made it.

    What is secret in `pattern` (the inputs as the engine gave them) is secret in both, and so is all of a
    Secret's data.
    """
    state = secret_properties(live, pattern)
    state[_INPUTS] = secret_properties(inputs, pattern)
    state[_API_VERSION] = api_version
    state[_FIELD_MANAGER] = manager
    return state


def secret_properties(obj: Mapping[str, Any], pattern: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object as properties, with the secrets of the pattern; a Secret's data is always secret."""
    marked: dict[str, Any] = mark_secrets(to_properties(obj), pattern)
    if obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1":
        for key in ("data", "stringData"):
            if key in marked and not isinstance(marked[key], Secret):
                marked[key] = Secret(marked[key])
    return marked


def split_checkpoint(state: Mapping[str, Any]) -> tuple[Object, Object]:
    """Return inputs and live object of a state; both plain, {} when missing."""
    inputs = from_properties(state.get(_INPUTS) or {})
    live = from_properties({k: v for k, v in state.items() if not k.startswith("__")})
    return inputs, live


def kept_manager(state: Mapping[str, Any]) -> str:
    """Return the field manager of a state, "" when it has none."""
    return text(state, _FIELD_MANAGER)


def kept_api_version(state: Mapping[str, Any], kind: Kind) -> str:
    """Return the apiVersion that the object was first made with."""
    return text(state, _API_VERSION) or kind.api_version
