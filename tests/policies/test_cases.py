"""The catalogue: every rule has cases that pass and that fail, in files whose names say which."""

from functools import cache
from pathlib import Path

import pytest

from policies.rules import RULES, Outcome, Rule, Severity
from tests.policies.manifests import BASES, CASES, Case, base, load, rules, verdicts


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
