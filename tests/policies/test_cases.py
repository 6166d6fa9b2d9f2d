"""The catalogue: every rule has cases that pass and that fail, in files whose names say which."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.rules import RULES, Outcome, Rule, Severity
from tests.policies.manifests import BASES, CASES, Case, base, load, merged, rules, verdicts


@cache
def _case(path: Path) -> Case:
    return load(path)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_verdict(path: Path) -> None:
    case = _case(path)
    found = verdicts(case.documents)
    failed, undecided = rules(found), rules(found, Outcome.UNDECIDED)
    # The bases that run in combined mode are told so, whatever else a case is about.
    usual = set() if case.rule == "combined-mode" else {"combined-mode"}
    match case.expected:
        case "fail":
            assert failed - usual == {case.rule} | case.also
        case "undecided":
            assert case.rule in undecided
            assert failed - usual == case.also
        case "pass":
            assert failed - usual == case.also
            assert case.rule not in undecided | failed
        case other:
            pytest.fail(f"{other}: a case's name begins with pass, fail or undecided")
    if case.says:
        texts = [str(verdict) for verdict in found if verdict.rule == case.rule]
        assert any(case.says in text for text in texts), texts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_cases(rule: Rule) -> None:
    expected = {path.stem.partition("-")[0] for path in CASES if path.parent.name == rule.id}
    assert {"pass", "fail"} <= expected


# What is written into a selector is the reader's to choose.
CHOSEN = ("headless-service", "disruption-budget-missing", "plain-secrets")


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.lines], ids=lambda rule: rule.id)
def test_the_lines_set_it_right(rule: Rule) -> None:
    """Written where the message says, they satisfy the rule."""
    written = yaml.safe_load(rule.lines)
    if rule.id in CHOSEN:
        return
    case = next(load(path) for path in CASES if path.parent.name == rule.id and path.stem.startswith("fail"))
    found = [one for one in verdicts(case.documents) if one.rule == rule.id and one.outcome is Outcome.FAIL]
    for one in found:
        assert str(one).endswith(rule.lines)
        identity, _, path = one.path.partition(": ")
        kind, _, name = identity.partition(" ")
        (target,) = [
            it for it in case.documents if (it["kind"], it["metadata"]["name"]) == (kind, name.rpartition("/")[2])
        ]
        _write(target, path, written)
    assert rule.id not in rules(verdicts(case.documents))


def _write(target: Any, path: str, written: dict[str, Any]) -> None:
    """Merges lines in at a path, above their own first key; a probe is another one then."""
    for key in re.findall(r"[^.\[\]]+", path):
        entries = enumerate(target) if isinstance(target, list) else ()
        named = {one.get("name", index): one for index, one in entries} or target
        inner = named.get(int(key) if key.isdigit() else key)
        if key in written or inner is None:
            break
        target = inner
    target.update({key: one if key.endswith("Probe") else merged(target.get(key), one) for key, one in written.items()})


def test_every_case_is_of_a_rule() -> None:
    assert {path.parent.name for path in CASES} <= {rule.id for rule in RULES}


def test_there_are_enough() -> None:
    stems = [path.stem.partition("-")[0] for path in CASES]
    assert stems.count("fail") >= 60
    assert stems.count("pass") >= 25


@pytest.mark.parametrize("path", sorted(BASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_base_is_safe(path: Path) -> None:
    found = verdicts(base(path.stem))
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
    assert rules(found) <= {"combined-mode"}
