"""`python -m policies export`: the policies as YAML for `kubectl apply`."""

import argparse
import re
from typing import Any

import yaml

from policies.admission.objects import Actions, Export, objects
from policies.configuration import Configuration

_EPILOG = "Nothing is changed anywhere: the policies are printed, for kubectl apply -f -."
_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_PART = re.compile(
    rf"\s*(?:(?P<gone>!)\s*(?P<absent>{_KEY})|(?P<key>{_KEY})"
    r"(?:\s*(?P<sign>==|=|!=)\s*(?P<value>[-A-Za-z0-9_.]*)"
    r"|\s+(?P<word>in|notin)\s*\((?P<values>[-A-Za-z0-9_., ]*)\))?)"
    r"\s*(?:,|$)"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes, besides the configuration."""
    parser.epilog = _EPILOG
    one = parser.add_mutually_exclusive_group()
    for action, text in (
        (Actions.ENFORCE, "refuse what a mandatory rule forbids, warn of the rest (the default)"),
        (Actions.WARN, "refuse nothing, warn of everything"),
        (Actions.AUDIT, "refuse nothing, only note it in the API server's audit log"),
    ):
        one.add_argument(f"--{action.value}", dest="actions", action="store_const", const=action, help=text)
    parser.set_defaults(actions=Actions.ENFORCE)
    parser.add_argument(
        "--namespace-selector",
        type=selector,
        metavar="SELECTOR",
        help="only in namespaces with these labels, such as 'stage=prod,team in (a,b),!lab'; default: everywhere",
    )


def selector(text: str) -> dict[str, Any]:
    """A label selector as kubectl writes it. Raises ArgumentTypeError."""
    expressions: list[dict[str, Any]] = []
    at = 0
    while at < len(text) or not text.strip():
        found = _PART.match(text, at)
        if not found or not text.strip():
            allowed = "key=value, key!=value, key in (a,b), key notin (a,b), key and !key, with commas between"
            raise argparse.ArgumentTypeError(f"got {text!r}, but it must be of {allowed}")
        at = found.end()
        part = found.groupdict()
        if part["gone"]:
            expressions.append({"key": part["absent"], "operator": "DoesNotExist"})
        elif part["sign"]:
            operator = "NotIn" if part["sign"] == "!=" else "In"
            expressions.append({"key": part["key"], "operator": operator, "values": [part["value"]]})
        elif part["word"]:
            values = [one.strip() for one in part["values"].split(",")]
            operator = "In" if part["word"] == "in" else "NotIn"
            expressions.append({"key": part["key"], "operator": operator, "values": values})
        else:
            expressions.append({"key": part["key"], "operator": "Exists"})
    return {"matchExpressions": expressions}


def text_of(options: argparse.Namespace, configuration: Configuration) -> str:
    """The policies and bindings as YAML."""
    export = Export(configuration, options.actions, options.namespace_selector)
    return yaml.safe_dump_all(objects(export), sort_keys=False, width=110, allow_unicode=True)
