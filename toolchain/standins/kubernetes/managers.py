"""Pure: which field manager owns which fields of an object (`metadata.managedFields`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from toolchain.standins.kubernetes.diff import Path
from toolchain.standins.kubernetes.objects import Object, items

# Managers that made or changed the object for the same user before the server-side apply took over.
_TAKEN_OVER: Final = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    ("pulumi-kubernetes", "Update"),
    ("pulumi-kubernetes.exe", "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)
CREATE_MANAGER: Final = "pulumi-kubernetes"


def taken_over(obj: Object, manager: str) -> list[dict[str, Any]] | None:
    """Return managedFields in which `manager` owns what plain creates and kubectl owned; None: no change.

    Without it a field that the user removes would stay, as the one who created the object still owns it.
    """
    entries = [e for e in items(obj, "metadata", "managedFields") if isinstance(e, Mapping)]
    theirs = [e for e in entries if _is_taken_over(e)]
    if not theirs:
        return None
    own = [e for e in entries if e.get("manager") == manager and e.get("operation") == "Apply"]
    fields: dict[str, Any] = {}
    for entry in (*own, *theirs):
        fields = _union(fields, entry.get("fieldsV1") or {})
    merged = {**(own or theirs)[0], "manager": manager, "operation": "Apply", "fieldsV1": fields}
    return [merged, *(dict(e) for e in entries if e not in own and e not in theirs)]


def _is_taken_over(entry: Mapping[str, Any]) -> bool:
    return (entry.get("manager"), entry.get("operation")) in _TAKEN_OVER and not entry.get("subresource")


def _union(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _union(a[key], b[key]) if key in a and key in b else dict(a.get(key, b.get(key, {})))
        for key in dict.fromkeys([*a, *b])
    }


def owns(obj: Object, manager: str, path: Path) -> tuple[bool, bool]:
    """Tell whether the manager owns the field at the path (no lists), and whether others do."""
    wanted = [f"f:{part}" for part in path]
    ours = theirs = False
    for entry in items(obj, "metadata", "managedFields"):
        fields: Any = entry.get("fieldsV1")
        for part in wanted:
            fields = fields.get(part) if isinstance(fields, Mapping) else None
        if fields is not None:
            ours = ours or entry.get("manager") == manager
            theirs = theirs or entry.get("manager") != manager
    return ours, theirs


def with_ignored(inputs: Object, live: Object, manager: str, ignored: Sequence[Path]) -> Object:
    """Return the inputs with the fields that the user wants ignored as they are in the cluster.

    A field that only others own is left out, so that it stays theirs.
    """
    for path in ignored:
        ours, theirs = owns(live, manager, path)
        if theirs and not ours:
            inputs = _replaced(inputs, path, None)
            continue
        value: Any = live
        for part in path:
            value = _child(value, part)
        if value is not None:
            inputs = _replaced(inputs, path, value)
    return inputs


def _child(value: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return value[part] if isinstance(value, list) and part < len(value) else None
    return value.get(part) if isinstance(value, Mapping) else None


def _replaced(value: Any, path: Path, new: Any) -> Any:
    """Return a copy with the value at the path replaced, or taken out for None; unchanged for a strange path."""
    part, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        changed = _replaced(value[part], rest, new) if rest else new
        return [*value[:part], changed, *value[part + 1 :]]
    if not isinstance(value, Mapping):
        return value
    copy = dict(value)
    if rest:
        if part in copy or new is not None:
            copy[str(part)] = _replaced(copy.get(str(part), {}), rest, new)
    elif new is None:
        copy.pop(str(part), None)
    else:
        copy[str(part)] = new
    return copy
