"""What a platform team sets of the pack: enforcement and parameters of each rule, production, exemptions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from policies.rules import RULES, ClusterFacts, Limits, Outcome, Severity, Verdict

_RULES = {rule.id: rule for rule in RULES}
POLICIES = ("kafka", "kafka-advice", "kafka-stack", "kafka-stack-advice", "kafka-remedies")
"""The names of the pack's policies. `kafka` carries the configuration."""
_PULUMIS_KEYS = ("all", "environments")  # of a file, beside the policies' names
_PULUMIS_LEVELS = ("advisory", "mandatory", "remediate", "disabled")  # of a whole policy, in place of its settings


class Level(StrEnum):
    """What a verdict does."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    DISABLED = "disabled"


class BadConfiguration(Exception):
    """The configuration can't be used; the message says what is given, what is allowed, and where."""


@dataclass(frozen=True)
class Exemption:
    """Clusters that rules are not enforced on, for a reason and until a day. `rules` is None for all."""

    namespace: str
    name: str
    rules: frozenset[str] | None
    reason: str
    until: date

    def covers(self, facts: ClusterFacts, rule: str) -> bool:
        """Whether it is about a rule of a cluster."""
        here = fnmatchcase(facts.namespace, self.namespace) and fnmatchcase(facts.name, self.name)
        return here and (self.rules is None or rule in self.rules)


@dataclass(frozen=True)
class Configuration:
    """What is set; without anything set, the defaults."""

    production: bool = False
    undecided: Level = Level.ADVISORY
    levels: Mapping[str, Level] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    exemptions: tuple[Exemption, ...] = ()

    def level(self, verdict: Verdict) -> Level:
        """What a verdict does."""
        rule = _RULES.get(verdict.rule)
        strict = bool(rule and rule.strict_in_production and self.production)
        default = Level.MANDATORY if verdict.severity is Severity.ERROR or strict else Level.ADVISORY
        level = self.levels.get(verdict.rule, default)
        if verdict.outcome is Outcome.FAIL or level is Level.DISABLED:
            return level
        return Level.MANDATORY if self.undecided is level is Level.MANDATORY else Level.ADVISORY

    def exempted(self, facts: ClusterFacts, rule: str, today: date) -> Exemption | None:
        """The exemption that holds for a rule of a cluster today."""
        return next((one for one in self.exemptions if one.until >= today and one.covers(facts, rule)), None)


def of_file(given: object) -> Configuration:
    """The configuration of a whole file, as Pulumi takes it: by policy. Raises BadConfiguration."""
    settings = _mapping(given, "the file")
    _only(settings, (*POLICIES, *_PULUMIS_KEYS), "the file")
    for name, elsewhere in settings.items():
        if name not in ("kafka", "environments") and elsewhere not in _PULUMIS_LEVELS:
            _only(_mapping(elsewhere, name), ("enforcementLevel",), f"{name}, whose settings stand under kafka")
    own = settings.get("kafka", {})
    if own in _PULUMIS_LEVELS:
        return Configuration()
    return parse({key: value for key, value in _mapping(own, "kafka").items() if key != "enforcementLevel"})


def parse(given: Mapping[str, Any]) -> Configuration:
    """The configuration as it is written. Raises BadConfiguration."""
    _only(given, ("production", "undecided", "rules", "exemptions"), "the configuration")
    production = given.get("production", False)
    if not isinstance(production, bool):
        raise BadConfiguration(f"production: got {_short(production)}, but it must be true or false")
    rules = _mapping(given.get("rules", {}), "rules")
    levels: dict[str, Level] = {}
    limits = Limits()
    for name, settings in rules.items():
        if name not in _RULES:
            raise BadConfiguration(f"rules.{name}: there is no such rule{_choice(name, _RULES)}")
        level, limits = _rule(name, settings, limits)
        if level:
            levels[name] = level
    entries = given.get("exemptions", [])
    if isinstance(entries, str | bytes | Mapping) or not hasattr(entries, "__iter__"):
        raise BadConfiguration("exemptions: it must be a list")
    return Configuration(
        production=production,
        undecided=_level(given.get("undecided", "advisory"), "undecided", (Level.ADVISORY, Level.MANDATORY)),
        levels=levels,
        limits=limits,
        exemptions=tuple(_exemption(entry, f"exemptions[{index}]") for index, entry in enumerate(entries)),
    )


def _rule(name: str, settings: object, limits: Limits) -> tuple[Level | None, Limits]:
    at = f"rules.{name}"
    if isinstance(settings, str):
        return _level(settings, at, tuple(Level)), limits
    settings = _mapping(settings, at)
    parameters = _RULES[name].parameters
    _only(settings, ("enforcement", *parameters), at)
    for parameter, attribute in parameters.items():
        if parameter in settings:
            value = settings[parameter]
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            wanted = type(getattr(limits, attribute))
            if not isinstance(value, wanted) or isinstance(value, bool) or (wanted is int and not 0 < value < 10_000):
                allowed = "a whole number above 0" if wanted is int else "text"
                raise BadConfiguration(f"{at}.{parameter}: got {_short(value)}, but it must be {allowed}")
            limits = replace(limits, **{attribute: value})
    level = settings.get("enforcement")
    return (None if level is None else _level(level, f"{at}.enforcement", tuple(Level))), limits


def _exemption(entry: object, at: str) -> Exemption:
    settings = _mapping(entry, at)
    _only(settings, ("namespace", "name", "rules", "reason", "until"), at)
    for key in ("reason", "until"):
        if not isinstance(settings.get(key), str) or not settings[key].strip():
            raise BadConfiguration(f"{at}.{key}: it must be set; an exemption has a reason and a last day")
    if not any(key in settings for key in ("namespace", "name")):
        raise BadConfiguration(f"{at}: set namespace, name or both; * stands for anything")
    for key in ("namespace", "name"):
        if not isinstance(settings.get(key, "*"), str):
            raise BadConfiguration(f"{at}.{key}: it must be text")
    try:
        until = date.fromisoformat(settings["until"])
    except ValueError:
        raise BadConfiguration(f"{at}.until: it must be a day such as 2027-01-31") from None
    rules = settings.get("rules")
    if rules is not None:
        if isinstance(rules, str) or not hasattr(rules, "__iter__"):
            raise BadConfiguration(f"{at}.rules: it must be a list of rules")
        if unknown := next((rule for rule in rules if rule not in _RULES), None):
            raise BadConfiguration(f"{at}.rules: there is no rule {unknown!r}{_choice(unknown, _RULES)}")
        rules = frozenset(rules)
    return Exemption(settings.get("namespace", "*"), settings.get("name", "*"), rules, settings["reason"], until)


def _level(value: object, at: str, allowed: tuple[Level, ...]) -> Level:
    if value in allowed:
        return Level(str(value))
    raise BadConfiguration(f"{at}: got {_short(value)}, but it must be one of {', '.join(allowed)}")


def _mapping(value: object, at: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise BadConfiguration(f"{at}: got {_short(value)}, but it must be an object")


def _only(settings: Mapping[str, Any], allowed: tuple[str, ...], at: str) -> None:
    for key in settings:
        if key not in allowed:
            raise BadConfiguration(f"{at}: there is no {key!r}{_choice(key, allowed)}")


def _choice(given: object, allowed: Iterable[str]) -> str:
    """The name that was meant; where none is near, all that there are."""
    near = get_close_matches(str(given), tuple(allowed), 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(allowed)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def schema() -> dict[str, dict[str, Any]]:
    """The configuration as JSON Schema, which the engine checks before anything runs. Names it leaves to `of_file`,
    whose message says which was meant.
    """
    rules = {
        rule.id: {
            "type": ["string", "object"],
            "description": f"{', '.join(Level)}, or an object of {', '.join(('enforcement', *rule.parameters))}",
        }
        for rule in RULES
    }
    exemption = {
        "type": "object",
        "required": ["reason", "until"],
        "properties": {
            "namespace": {"type": "string"},
            "name": {"type": "string"},
            "rules": {"type": "array", "items": {"type": "string"}},
            "reason": {"type": "string", "minLength": 1},
            "until": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        },
    }
    return {
        "production": {"type": "boolean"},
        "undecided": {"type": "string", "enum": ["advisory", "mandatory"]},
        "rules": {"type": "object", "properties": rules},
        "exemptions": {"type": "array", "items": exemption},
    }


def expired(configuration: Configuration, today: date) -> Iterator[str]:
    """A sentence for each exemption whose last day is over."""
    for index, one in enumerate(configuration.exemptions):
        if one.until < today:
            yield f"exemptions[{index}] ended on {one.until} and no longer holds ({one.reason})"
