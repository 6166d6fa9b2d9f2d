"""`python -m policies check FILE…`: the rules on manifests, without Pulumi; `export`: the rules for the API server."""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from policies.admission import command as export
from policies.configuration import BadConfiguration, Configuration, Level, expired, of_file
from policies.judgement import Told, tell
from policies.manifest import Manifest, manifest
from policies.reading import KINDS
from policies.rules import RULES, Outcome
from policies.world import World

SAFE, UNSAFE, UNUSABLE = 0, 1, 2
_EPILOG = f"exit codes: {SAFE} nothing mandatory is violated, {UNSAFE} something is, {UNUSABLE} the input can't be read"
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_LARGEST = 1_000_000  # values of a document; a real one has thousands
_LEVELS = {Level.MANDATORY: "error", Level.ADVISORY: "warning"}


class Unusable(Exception):
    """A file or the configuration can't be read; the message says which and why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m policies", description="Refuses unsafe Kafka.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check", help="judge Kubernetes manifests", description="Judges Kubernetes manifests.", epilog=_EPILOG
    )
    check.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON, a folder of it, or - for standard input")
    check.add_argument("--output", choices=("human", "json", "sarif"), default="human", help="how verdicts are shown")
    what = "print ValidatingAdmissionPolicies of the rules that one object decides"
    exporting = commands.add_parser("export", help=what, description=f"{what.capitalize()}.")
    export.arguments(exporting)
    for one in (check, exporting):
        one.add_argument("--config", type=Path, metavar="FILE", help="the pack's configuration (JSON)")
    options = parser.parse_args(arguments)
    try:
        configuration = _configuration(options.config)
        if options.command == "export":
            return _export(options, configuration)
        files = dict.fromkeys(file for name in options.files for file in _files(name))
        objects = [one for file in files for one in _objects(file)]
        if not objects:  # as where `helm template` failed before the pipe
            raise Unusable(f"{', '.join(options.files)}: there are no Kubernetes objects")
    except Unusable as unusable:
        print(f"{options.command}: {unusable}", file=sys.stderr)
        return UNUSABLE
    today = date.today()
    told = (one for some in _sets(objects) for one in tell(World(some), configuration, today))
    found = [one for one in dict.fromkeys(told) if one.level is not Level.DISABLED]
    for sentence in expired(configuration, today):
        print(f"check: {sentence}", file=sys.stderr)
    print({"human": _human, "json": _json, "sarif": _sarif}[options.output](found))
    return UNSAFE if any(one.level is Level.MANDATORY for one in found) else SAFE


def _export(options: argparse.Namespace, configuration: Configuration) -> int:
    for one in configuration.exemptions:
        # The API server's policies don't know what day it is.
        print(f"export: the exemption ({one.reason}) is left out; use --namespace-selector", file=sys.stderr)
    print(export.text_of(options, configuration), end="")
    return SAFE


def _configuration(path: Path | None) -> Configuration:
    try:
        return of_file(json.loads(path.read_text()) if path else {})
    except (OSError, ValueError, BadConfiguration) as error:
        raise Unusable(f"{path}: {error}") from None


def _files(name: str) -> Iterator[str]:
    """The file of that name, or those of a folder."""
    path = Path(name)
    if not path.is_dir():
        yield str(path)
    for inner in sorted(path.rglob("*")) if path.is_dir() else ():
        if inner.suffix in (".yaml", ".yml", ".json") and inner.is_file():
            yield str(inner)


def _sets(objects: list[Manifest]) -> Iterator[list[Manifest]]:
    """Objects that can be in one cluster. Where one is described twice, as in folders for dev and for prod, each folder
    or file that does so is judged with what is in none of the others.
    """
    places: dict[tuple[str, str, str | None, str], set[tuple[str, ...]]] = defaultdict(set)
    for one in objects:
        if (one.group, one.kind) in KINDS and one.name:
            places[one.group, one.kind, one.namespace, one.name].add(_parts(one))
    rivals = {parts[: _shared(where) + 1] for where in places.values() if len(where) > 1 for parts in where}
    rest: list[Manifest] = []
    own: dict[tuple[str, ...], list[Manifest]] = defaultdict(list)
    for one in objects:
        parts = _parts(one)
        above = (parts[:length] for length in range(1, len(parts) + 1))
        rival = next((at for at in above if at in rivals), None)
        (rest if rival is None else own[rival]).append(one)
    if not own:
        yield rest
    for some in own.values():
        yield from _sets([*rest, *some])


def _parts(one: Manifest) -> tuple[str, ...]:
    """The file that an object stands in, folder by folder."""
    return Path(one.subject.rpartition(":")[0]).parts


def _shared(places: set[tuple[str, ...]]) -> int:
    """How many folders files have in common."""
    return next(index for index, parts in enumerate(zip_longest(*places)) if len(set(parts)) > 1)


def _objects(name: str) -> Iterator[Manifest]:
    """The objects of a file; `subject` is the file's name and the line, where findings are shown."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text()
        documents = list(_documents(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise Unusable(f"{name}: {' '.join(str(error).split())}") from None
    for line, one in documents:
        for inner in _listed(one):
            yield manifest(inner, f"{name}:{line}")


def _listed(one: Any) -> Iterator[dict[str, Any]]:
    """The objects of a document, which may be a list of them, even of lists; those of a StatefulSetList say no kind."""
    if not isinstance(one, dict):
        return
    if not isinstance(one.get("items"), list):
        yield one
        return
    kind = str(one.get("kind", "")).removesuffix("List")
    for inner in one["items"]:
        if isinstance(inner, dict):
            yield from _listed({"apiVersion": one.get("apiVersion"), "kind": kind, **inner})


def _documents(text: str) -> Iterator[tuple[int, Any]]:
    """The documents of a file, each with the line that it begins on."""
    if text.lstrip().startswith("{"):
        with suppress(ValueError):  # then it is YAML in braces; JSON may have tabs, which YAML has not
            yield 1, json.loads(text)
            return
    loader = yaml.SafeLoader(text)
    while loader.check_node() and (node := loader.get_node()):
        if _size(node, {}) > _LARGEST:
            raise yaml.YAMLError("its aliases make it too large")
        yield node.start_mark.line + 1, loader.construct_document(node)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a document has once its aliases are written out."""
    if id(node) not in known:
        inner = [one for pair in node.value for one in pair] if isinstance(node, yaml.MappingNode) else node.value
        known[id(node)] = 1  # what holds itself is not counted again
        known[id(node)] += sum(_size(one, known) for one in inner) if not isinstance(node, yaml.ScalarNode) else 0
    return known[id(node)]


def _place(one: Told) -> tuple[str, int]:
    """The file and line of a finding."""
    name, _, line = next(iter(one.subjects), "-:1").rpartition(":")
    return name, int(line)


def _human(found: list[Told]) -> str:
    lines = []
    for one in found:
        undecided = " (undecided)" if one.verdict.outcome is Outcome.UNDECIDED else ""
        lines.append(f"{one.level}{undecided}: {one.verdict}")
    mandatory = sum(one.level is Level.MANDATORY for one in found)
    lines.append(f"{mandatory} mandatory, {len(found) - mandatory} advisory")
    return "\n".join(lines)


def _json(found: list[Told]) -> str:
    keys = ("rule", "outcome", "path", "found", "required", "why", "remedy", "lines", "url")
    entries = [
        {
            "level": one.level,
            **dict(zip(("file", "line"), _place(one), strict=True)),
            **{key: getattr(one.verdict, key) for key in keys},
        }
        for one in found
    ]
    return json.dumps(entries, indent=2)


def _sarif(found: list[Told]) -> str:
    """As GitHub's code scanning takes it: its documentation, SARIF support for code scanning."""
    rules = [
        {
            "id": rule.id,
            "helpUri": rule.url,
            "shortDescription": {"text": rule.remedy},
            "fullDescription": {"text": rule.why},
            "help": {"text": "\n".join((rule.remedy, *([rule.lines] if rule.lines else [])))},
            "properties": {"tags": [rule.framework]},
        }
        for rule in RULES
    ]
    results = [_result(one) for one in found]
    driver = {"name": "kafka-ha", "informationUri": "https://kafka.apache.org/documentation/", "rules": rules}
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(one: Told) -> dict[str, Any]:
    name, line = _place(one)
    path = Path(name)
    # The same for the same finding, wherever lines move to: an alert is not told anew.
    identity = f"{one.verdict.rule} {one.verdict.path}"
    location = {
        "physicalLocation": {
            "artifactLocation": {"uri": path.as_uri() if path.is_absolute() else quote(path.as_posix())},
            "region": {"startLine": line},
        },
        "logicalLocations": [{"fullyQualifiedName": one.verdict.path}],
    }
    return {
        "ruleId": one.verdict.rule,
        "level": _LEVELS.get(one.level, "note"),
        "message": {"text": str(one.verdict)},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": sha256(identity.encode()).hexdigest()[:16]},
    }
