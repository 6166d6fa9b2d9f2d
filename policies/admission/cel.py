"""Text of CEL, the language of the API server's own policies, and what a check of a rule is made of."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from policies.rules import Limits


@dataclass(frozen=True)
class Check:
    """A rule as far as one object decides it. `holds` is CEL that is true unless the object violates the rule for
    certain: what it can't know, it lets pass. `required` is said where the rule's own words would name a value.
    """

    rule: str
    holds: Callable[[Limits], str]
    required: str = ""


@dataclass(frozen=True)
class Target:
    """Objects that are judged alike. `resources` are plural names of an API group, `condition` tells which of them
    matter, `variables` are CEL by name that checks use, each after those that it uses itself.
    """

    name: str
    title: str
    group: str
    resources: tuple[str, ...]
    checks: tuple[Check, ...]
    variables: Mapping[str, str]
    condition: str = ""


def check(rule: str, holds: str, required: str = "") -> Check:
    """A check that no limit changes."""
    return Check(rule, lambda _: holds, required)


def quote(text: str) -> str:
    """A string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def strings(texts: Iterable[str]) -> str:
    """A list of strings."""
    return f"[{', '.join(quote(text) for text in texts)}]"


def pattern(regex: re.Pattern[str]) -> str:
    """A pattern of Python's as RE2 takes it; none in use here has what RE2 lacks."""
    return quote(("(?i)" if regex.flags & re.IGNORECASE else "") + regex.pattern)


def used(variables: Mapping[str, str], texts: Iterable[str]) -> dict[str, str]:
    """The variables that texts use, directly or through others, in their order."""
    needed: set[str] = set()
    pending = list(texts)
    while pending:
        for name in re.findall(r"\bvariables\.(\w+)", pending.pop()):
            if name not in needed:
                needed.add(name)
                pending.append(variables[name])
    return {name: text for name, text in variables.items() if name in needed}
