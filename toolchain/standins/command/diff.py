"""What changes between a command's old and new inputs, in the engine's terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from toolchain.standins.properties import SIGNATURE

# A change below these inputs replaces the command; any other re-runs it as an update.
REPLACING: Final = ("triggers",)


class Kind(Enum):
    """How one property differs."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


_MISSING: Final = object()
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Kind]:
    """Return the property paths that differ, as deep as maps and lists go, in the engine's notation."""
    return dict(_map(old, new, ""))


def replaces(path: str) -> bool:
    """Tell whether a change at the property path replaces the resource."""
    return re.split(r"[.\[]", path, maxsplit=1)[0] in REPLACING


def _value(old: Any, new: Any, path: str) -> Iterator[tuple[str, Kind]]:
    if old is _MISSING:
        yield path, Kind.ADD
    elif new is _MISSING:
        yield path, Kind.DELETE
    elif _is_map(old) and _is_map(new):
        yield from _map(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        for i in range(max(len(old), len(new))):
            before, after = (items[i] if i < len(items) else _MISSING for items in (old, new))
            yield from _value(before, after, f"{path}[{i}]")
    elif type(old) is not type(new) or old != new:
        yield path, Kind.UPDATE


def _map(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[tuple[str, Kind]]:
    for key in sorted({*old, *new}):
        step = key if not path else f".{key}" if _PLAIN_KEY.fullmatch(key) else f'["{key}"]'
        yield from _value(old.get(key, _MISSING), new.get(key, _MISSING), path + step)


def _is_map(value: Any) -> bool:
    # Assets and archives are maps on the wire, yet one value each.
    return isinstance(value, Mapping) and SIGNATURE not in value
