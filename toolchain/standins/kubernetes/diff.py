"""Pure: what differs between an object's last live form and its new inputs, as property paths."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from toolchain.standins.kubernetes.errors import PluginError
from toolchain.standins.kubernetes.replace_rules import Path as Rule

Path = tuple[str | int, ...]

_MISSING: Final = object()
# Fields that hold quantities, or maps of them: `1000m` and `1` are the same there.
_QUANTITY_FIELDS: Final = frozenset(
    {
        "allocatable",
        "capacity",
        "default",
        "defaultRequest",
        "hard",
        "limits",
        "max",
        "min",
        "overhead",
        "podFixed",
        "requests",
        "sizeLimit",
    }
)
_QUANTITY: Final = re.compile(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([numkKMGTPE]i?))?")
_SUFFIX: Final = {
    **dict(zip("num", (Decimal(10) ** -9, Decimal(10) ** -6, Decimal(10) ** -3), strict=True)),
    **{s: Decimal(1000) ** i for i, s in enumerate(("k", "M", "G", "T", "P", "E"), start=1)},
    **{s: Decimal(1024) ** i for i, s in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
}


class Change(enum.Enum):
    """What happens to a property."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Difference:
    """One changed property; `replaces` when the object must be replaced for it."""

    path: Path
    change: Change
    replaces: bool

    @property
    def text(self) -> str:
        """The path as Pulumi writes it, such as `spec.template.metadata.annotations["a.b/c"]`."""
        return format_path(self.path)


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], before: Mapping[str, Any], rules: Sequence[Rule]
) -> list[Difference]:
    """Compare `old` (the live object in the shape of the old inputs) with the new inputs.

    `before` are the old inputs: an empty value (`false`, `0`, `[]`, …) that the user did not touch and the server
    leaves out of its answers is no difference.
    """
    found: list[Difference] = []
    _walk((), old, new, before, rules, found)
    return found


def _walk(path: Path, old: Any, new: Any, before: Any, rules: Sequence[Rule], found: list[Difference]) -> None:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            _step((*path, key), _get(old, key), _get(new, key), _get(before, key), rules, found)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            _step((*path, index), _get(old, index), _get(new, index), _get(before, index), rules, found)
    elif not _same(path, old, new):
        _record(path, Change.UPDATE, new, rules, found)


def _step(path: Path, old: Any, new: Any, before: Any, rules: Sequence[Rule], found: list[Difference]) -> None:
    if old is _MISSING and new is _MISSING:
        return
    if new is _MISSING:
        _record(path, Change.DELETE, old, rules, found)
    elif old is _MISSING:
        if not (_empty(new) and new == before):
            _record(path, Change.ADD, new, rules, found)
    else:
        _walk(path, old, new, before, rules, found)


def _get(value: Any, key: str | int) -> Any:
    if isinstance(key, int):
        return value[key] if isinstance(value, list) and key < len(value) else _MISSING
    return value.get(key, _MISSING) if isinstance(value, Mapping) else _MISSING


def _empty(value: Any) -> bool:
    return value is None or value is False or value in (0, "", [], {})


def _same(path: Path, old: Any, new: Any) -> bool:
    if isinstance(old, bool) is not isinstance(new, bool):
        return False
    if old == new:
        return True
    if any(part in _QUANTITY_FIELDS for part in path):
        first, second = quantity(old), quantity(new)
        return first is not None and first == second
    return False


def quantity(value: Any) -> Decimal | None:
    """Return a Kubernetes quantity (`500m`, `1Gi`, `1e3`) as a number, None when it is not one."""
    match_ = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if match_ is None:
        return None
    digits, exponent, suffix = match_.groups()
    try:
        return Decimal(digits + (exponent or "")) * _SUFFIX.get(suffix or "", Decimal(1))
    except ArithmeticError:
        return None


def _record(path: Path, change: Change, value: Any, rules: Sequence[Rule], found: list[Difference]) -> None:
    found.append(Difference(path, change, any(_touches(rule, path, value) for rule in rules)))


def _touches(rule: Rule, path: Path, value: Any) -> bool:
    """Tell whether a change at the path, to or from the value, changes the field that the rule names."""
    for depth, part in enumerate(rule):
        if depth < len(path):
            if part != path[depth] and not (part == "*" and isinstance(path[depth], int)):
                return False
        elif part == "*":
            return isinstance(value, list) and any(_touches(rule[depth + 1 :], (), v) for v in value)
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            return False
    return True


def format_path(path: Path) -> str:
    """Return a path as Pulumi writes it."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        elif any(c in part for c in '."[]'):
            escaped = part.replace('"', '\\"')
            written += f'["{escaped}"]'
        else:
            written += f".{part}" if written else part
    return written


def parse_path(written: str) -> Path:
    """Return a path that Pulumi wrote; `[*]` becomes the part `*`. Raises PluginError for what is none."""
    parts: list[str | int] = []
    token = re.compile(r'\[("(?:\\.|[^"\\])*"|[0-9]+|\*)\]|\.?([^.\[\]]+)')
    position = 0
    while position < len(written):
        match_ = token.match(written, position)
        if match_ is None:
            raise PluginError(f"property path {written!r}: cannot be read from {written[position:]!r} on")
        bracket, plain = match_.groups()
        if plain is not None:
            parts.append(plain)
        elif bracket.startswith('"'):
            parts.append(re.sub(r"\\(.)", r"\1", bracket[1:-1]))
        else:
            parts.append(bracket if bracket == "*" else int(bracket))
        position = match_.end()
    return tuple(parts)


def contains(outer: Path, inner: Path) -> bool:
    """Tell whether `inner` is `outer` or lies below it; `*` in `outer` fits any part."""
    return len(outer) <= len(inner) and all(
        a in ("*", b) or str(a) == str(b) for a, b in zip(outer, inner, strict=False)
    )
