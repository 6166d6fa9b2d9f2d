"""Pulumi property values: protobuf `Struct` on the wire, plain Python inside.

Numbers that are whole become `int`; secrets, outputs, unknowns and resource references, which the wire marks
by a signature key or a reserved string, become the classes below. Assets and archives stay dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
# One marker a type of value that is not known yet; the plugins here treat them alike.
UNKNOWN_MARKERS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


@dataclass(frozen=True)
class Unknown:
    """A value that is not known before the update runs."""

    marker: str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value to be kept encrypted."""

    value: Any


def to_python(value: struct_pb2.Value) -> Any:
    """Return one wire value as Python."""
    match value.WhichOneof("kind"):
        case "struct_value":
            return _object(value.struct_value)
        case "list_value":
            return [to_python(item) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        case "string_value":
            text = value.string_value
            return Unknown(text) if text in UNKNOWN_MARKERS else text
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _object(struct: struct_pb2.Struct) -> Any:
    fields = {key: to_python(item) for key, item in struct.fields.items()}
    match fields.get(SIGNATURE):
        case s if s == SECRET:
            return Secret(fields.get("value"))
        case s if s == OUTPUT:
            inner = fields.get("value", UNKNOWN)
            return Secret(inner) if fields.get("secret") else inner
        case s if s == RESOURCE:
            return fields.get("id") or fields.get("urn")
        case _:
            return fields


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return a wire object as a dictionary."""
    return {key: to_python(item) for key, item in struct.fields.items()}


def to_value(value: Any) -> struct_pb2.Value:
    """Return a Python value for the wire; raises TypeError for what the wire cannot carry."""
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=float(value))
        case str():
            return struct_pb2.Value(string_value=value)
        case Unknown():
            return struct_pb2.Value(string_value=value.marker)
        case Secret():
            return struct_pb2.Value(struct_value=to_struct({SIGNATURE: SECRET, "value": value.value}))
        case Mapping():
            return struct_pb2.Value(struct_value=to_struct(value))
        case list() | tuple():
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[to_value(v) for v in value]))
        case _:
            raise TypeError(f"a Pulumi property cannot hold a {type(value).__name__}")


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return a dictionary as a wire object."""
    return struct_pb2.Struct(fields={str(key): to_value(value) for key, value in values.items()})


def without_secrets(value: Any) -> Any:
    """Return the value with every secret replaced by what it holds."""
    return _rebuild(value, lambda found: without_secrets(found.value) if isinstance(found, Secret) else found)


def _rebuild(value: Any, leaf: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _rebuild(item, leaf) for key, item in value.items()}
    if isinstance(value, list):
        return [_rebuild(item, leaf) for item in value]
    return leaf(value)


def has_secrets(value: Any) -> bool:
    """Tell whether a secret is anywhere in the value."""
    return _any(value, Secret)


def has_unknowns(value: Any) -> bool:
    """Tell whether an unknown is anywhere in the value, inside secrets too."""
    return _any(value, Unknown)


def _any(value: Any, kind: type) -> bool:
    if isinstance(value, kind):
        return True
    if isinstance(value, Secret):
        return _any(value.value, kind)
    if isinstance(value, Mapping):
        return any(_any(item, kind) for item in value.values())
    return isinstance(value, list) and any(_any(item, kind) for item in value)


def mark_secrets(value: Any, pattern: Any) -> Any:
    """Return `value` with secrets wherever `pattern` (an earlier value of the same shape) has them."""
    if isinstance(pattern, Secret):
        return value if isinstance(value, Secret) else Secret(value)
    if isinstance(value, Mapping) and isinstance(pattern, Mapping):
        return {k: mark_secrets(v, pattern[k]) if k in pattern else v for k, v in value.items()}
    if isinstance(value, list) and isinstance(pattern, list):
        # Lists may have been reordered by the server: one secret inside makes the whole list secret.
        return Secret(value) if has_secrets(pattern) else value
    return value
