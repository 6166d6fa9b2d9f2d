"""`python -m policies check FILE…`: the rules on manifests, without Pulumi; `export`: the rules for the API server."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from policies.admission import command as export
from policies.configuration import BadConfiguration, Configuration, Level, expired, of_file
from policies.judgement import Told, tell
from policies.manifest import Manifest, manifest
from policies.rules import RULES, Outcome
from policies.world import World

SAFE, UNSAFE, UNUSABLE = 0, 1, 2
_EPILOG = f"exit codes: {SAFE} nothing mandatory is violated, {UNSAFE} something is, {UNUSABLE} the input can't be read"
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
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
        objects = [one for file in options.files for one in _objects(file)]
    except Unusable as unusable:
        print(f"{options.command}: {unusable}", file=sys.stderr)
        return UNUSABLE
    today = date.today()
    found = [one for one in tell(World(objects), configuration, today) if one.level is not Level.DISABLED]
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


def _objects(name: str) -> Iterator[Manifest]:
    """The objects of a file; `subject` is the file's name and the line, where findings are shown."""
    path = Path(name)
    if path.is_dir():
        for inner in sorted(one for one in path.rglob("*") if one.suffix in (".yaml", ".yml", ".json")):
            yield from _objects(str(inner))
        return
    try:
        text = sys.stdin.read() if name == "-" else path.read_text()
        documents = list(_documents(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise Unusable(f"{name}: {' '.join(str(error).split())}") from None
    for line, one in documents:
        for inner in one["items"] if isinstance(one, dict) and isinstance(one.get("items"), list) else [one]:
            if isinstance(inner, dict):
                yield manifest(inner, f"{name}:{line}")


def _documents(text: str) -> Iterator[tuple[int, Any]]:
    """The documents of a file, each with the line that it begins on."""
    loader = yaml.SafeLoader(text)
    while loader.check_node() and (node := loader.get_node()):
        yield node.start_mark.line + 1, loader.construct_document(node)


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
    rules = [
        {
            "id": rule.id,
            "helpUri": rule.url,
            "shortDescription": {"text": rule.remedy},
            "fullDescription": {"text": rule.why},
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
    location = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(Path(name).as_posix())},
            "region": {"startLine": line},
        },
        "logicalLocations": [{"fullyQualifiedName": one.verdict.path}],
    }
    return {
        "ruleId": one.verdict.rule,
        "level": _LEVELS.get(one.level, "note"),
        "message": {"text": str(one.verdict)},
        "locations": [location],
    }
