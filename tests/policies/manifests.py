"""Manifests for tests: a base that looks real, and what a case changes of it."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.manifest import UNKNOWN, manifest
from policies.reading import read
from policies.rules import ClusterFacts, Outcome, Verdict, examine
from policies.world import World

HERE = Path(__file__).parent
BASES = HERE / "bases"
CASES = sorted((HERE / "cases").glob("*/*.yaml"))


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which `!unknown` stands for a value that is known only when it is deployed."""


_Loader.add_constructor("!unknown", lambda loader, node: UNKNOWN)


@dataclass(frozen=True)
class Case:
    """A case's file: the objects it describes, and what it expects."""

    path: Path
    documents: list[dict[str, Any]]
    also: frozenset[str]
    says: str

    @property
    def rule(self) -> str:
        """The rule that the case is about."""
        return self.path.parent.name

    @property
    def expected(self) -> str:
        """`pass`, `fail` or `undecided`, from the file's name."""
        return self.path.stem.partition("-")[0]


def load(path: Path) -> Case:
    """The case of a file: `base` (one of bases/), `replace` (texts in it), `merge`, `remove` and `add` (objects)."""
    case = yaml.load(path.read_text(), _Loader)
    text = (BASES / f"{case['base']}.yaml").read_text() if "base" in case else ""
    for old, new in case.get("replace", {}).items():
        assert old in text, f"{path.name}: {old!r} is not in the base"
        text = text.replace(old, new)
    documents = [one for one in yaml.load_all(text, _Loader) if one]
    for identity, changes in case.get("merge", {}).items():
        (target,) = [one for one in documents if _identity(one) == identity]
        documents[documents.index(target)] = merged(target, changes)
    for identity in case.get("remove", []):
        assert identity in [_identity(one) for one in documents], f"{path.name}: there is no {identity}"
        documents = [one for one in documents if _identity(one) != identity]
    documents += case.get("add", [])
    return Case(path, documents, frozenset(case.get("also", [])), case.get("says", ""))


def base(name: str) -> list[dict[str, Any]]:
    """The objects of a base, unchanged."""
    return [one for one in yaml.load_all((BASES / f"{name}.yaml").read_text(), _Loader) if one]


Place = tuple[str | int, ...]
"""Where a value stands in objects: keys and indices."""


def places(value: Any, at: Place = ()) -> list[Place]:
    """Every place of a value, itself first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, one in inner for place in places(one, (*at, key)))]


def changed(name: str, place: Place, value: object) -> list[dict[str, Any]]:
    """The objects of a base, with another value at a place."""
    documents: Any = base(name)
    *holder, last = place
    target = documents
    for key in holder:
        target = target[key]
    target[last] = value
    objects: list[dict[str, Any]] = documents
    return objects


def clusters(documents: list[dict[str, Any]]) -> list[ClusterFacts]:
    """The Kafka clusters that are read from objects."""
    return read(World(manifest(one) for one in documents))


def verdicts(documents: list[dict[str, Any]]) -> list[Verdict]:
    """Everything that the rules say of objects."""
    return [verdict for facts in clusters(documents) for verdict in examine(facts)]


def rules(found: list[Verdict], outcome: Outcome = Outcome.FAIL) -> set[str]:
    """The rules of verdicts."""
    return {verdict.rule for verdict in found if verdict.outcome is outcome}


def _identity(one: dict[str, Any]) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


def merged(old: Any, new: Any) -> Any:
    """A value with another merged in; None takes a key out."""
    if isinstance(old, dict) and isinstance(new, dict):
        kept = {key: value for key, value in old.items() if key not in new}
        return kept | {key: merged(old.get(key), value) for key, value in new.items() if value is not None}
    if isinstance(old, list) and isinstance(new, list) and all(_named(one) for one in (*old, *new)):
        names = {one["name"]: one for one in old}
        for one in new:
            names[one["name"]] = merged(names.get(one["name"]), one)
        return [one for one in names.values() if not one.get("delete")]
    return copy.deepcopy(new)


def _named(one: Any) -> bool:
    return isinstance(one, dict) and "name" in one
