"""What a platform team sets: what holds, what ends, and how a mistake is told."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies.configuration import POLICIES, BadConfiguration, Configuration, Level, expired, of_file, parse
from policies.judgement import tell
from policies.manifest import manifest
from policies.pack import policies
from policies.rules import Limits, Outcome, Severity, Verdict
from policies.session import Session
from policies.world import World
from tests.policies.manifests import HERE, base, load

TODAY = date(2026, 6, 1)
ERROR = Verdict("min-isr", Severity.ERROR, "p", "1", "more", "why", "remedy")
ADVICE = replace(ERROR, rule="tls", severity=Severity.ADVICE)


ONE = {"name": "a", "reason": "b", "until": "2027-01-01"}


def undecided(verdict: Verdict) -> Verdict:
    return replace(verdict, outcome=Outcome.UNDECIDED)


@pytest.mark.parametrize(
    ("given", "verdict", "level"),
    [
        ({}, ERROR, Level.MANDATORY),
        ({}, ADVICE, Level.ADVISORY),
        ({}, undecided(ERROR), Level.ADVISORY),
        ({"undecided": "mandatory"}, undecided(ERROR), Level.MANDATORY),
        ({"undecided": "mandatory"}, undecided(ADVICE), Level.ADVISORY),
        ({"production": True}, ADVICE, Level.MANDATORY),
        ({"rules": {"tls": "mandatory"}}, ADVICE, Level.MANDATORY),
        ({"rules": {"min-isr": "advisory"}}, ERROR, Level.ADVISORY),
        ({"rules": {"min-isr": {"enforcement": "disabled"}}}, ERROR, Level.DISABLED),
        ({"rules": {"min-isr": "disabled"}, "undecided": "mandatory"}, undecided(ERROR), Level.DISABLED),
        ({"rules": {"min-isr": "advisory"}, "undecided": "mandatory"}, undecided(ERROR), Level.ADVISORY),
    ],
)
def test_levels(given: dict[str, Any], verdict: Verdict, level: Level) -> None:
    assert parse(given).level(verdict) is level


def test_parameters() -> None:
    given = {"rules": {"replication-factor": {"minimum": 2.0}, "zone-spread": {"key": "example.com/rack"}}}
    assert parse(given).limits == Limits(minimum_replication_factor=2, zone_key="example.com/rack")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"prodution": True}, "there is no 'prodution'; did you mean production?"),
        ({"production": "yes"}, "production: got 'yes'"),
        ({"undecided": "disabled"}, "undecided: got 'disabled'"),
        ({"rules": []}, "rules: got []"),
        (
            {"rules": {"min-irs": "advisory"}},
            "rules.min-irs: there is no such rule; did you mean min-isr?",
        ),
        ({"rules": {"backups": "advisory"}}, "rules.backups: there is no such rule; there are replication-factor"),
        ({"rules": {"min-isr": "off"}}, "rules.min-isr: got 'off'"),
        ({"rules": {"min-isr": {"minimum": "2"}}}, "rules.min-isr.minimum: got '2'"),
        ({"rules": {"min-isr": {"minimum": 0}}}, "rules.min-isr.minimum: got 0"),
        ({"rules": {"min-isr": {"minmum": 2}}}, "rules.min-isr: there is no 'minmum'; did you mean minimum?"),
        ({"rules": {"zone-spread": {"key": 1}}}, "rules.zone-spread.key: got 1"),
        ({"exemptions": {}}, "exemptions: it must be a list"),
        ({"exemptions": [{"namespace": "a", "until": "2027-01-01"}]}, "exemptions[0].reason"),
        ({"exemptions": [{"namespace": "a", "reason": "b"}]}, "exemptions[0].until"),
        ({"exemptions": [{"namespace": "a", "reason": "b", "until": "soon"}]}, "exemptions[0].until"),
        ({"exemptions": [{"reason": "b", "until": "2027-01-01"}]}, "set namespace, name or both"),
        (
            {"exemptions": [{"name": "a", "reason": "b", "until": "2027-01-01", "rules": ["x"]}]},
            "exemptions[0].rules: there is no rule 'x'",
        ),
        (
            {"exemptions": [{"name": "a", "reason": "b", "until": "2027-01-01", "rules": "tls"}]},
            "must be a list of rules",
        ),
    ],
)
def test_a_mistake_is_told(given: dict[str, Any], says: str) -> None:
    with pytest.raises(BadConfiguration) as bad:
        parse(given)
    assert says in str(bad.value)


def test_a_file_is_by_policy() -> None:
    assert of_file({"all": "advisory", "kafka": {"production": True}, "kafka-remedies": "remediate"}).production
    assert of_file({"kafka": {"enforcementLevel": "mandatory", "production": True}}).production
    assert of_file({"kafka-stack": {"enforcementLevel": "disabled"}}) == Configuration()
    assert of_file({"kafka": "mandatory", "environments": ["shop/policies"]}) == Configuration()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kafak": {"production": True}}, "the file: there is no 'kafak'; did you mean kafka?"),
        ({"kafka": {"prodution": True}}, "there is no 'prodution'"),
        (
            {"kafka-stack": {"rules": {"tls": "mandatory"}}},
            "kafka-stack, whose settings stand under kafka: there is no 'ru",
        ),
        ({"kafka-advice": "off"}, "kafka-advice: got 'off'"),
        ({"kafka": ["production"]}, "kafka: got ['production']"),
        ([], "the file: got []"),
    ],
)
def test_a_mistake_in_the_file_is_told(given: Any, says: str) -> None:
    with pytest.raises(BadConfiguration) as bad:
        of_file(given)
    assert says in str(bad.value)


def test_the_names_are_those_of_the_packs_policies() -> None:
    assert tuple(policy.name for policy in policies(Session())) == POLICIES


def levels(configuration: Configuration, today: date = TODAY) -> dict[str, Level]:
    case = load(HERE / "cases/min-isr/fail-official.yaml")
    told = tell(World(manifest(one) for one in case.documents), configuration, today)
    return {one.verdict.rule: one.level for one in told}


@pytest.mark.parametrize(
    ("exemption", "level"),
    [
        ({"namespace": "shop"}, Level.DISABLED),
        ({"namespace": "sh*", "name": "kafka"}, Level.DISABLED),
        ({"namespace": "shop", "rules": ["min-isr"]}, Level.DISABLED),
        ({"namespace": "shop", "rules": ["tls"]}, Level.MANDATORY),
        ({"namespace": "store"}, Level.MANDATORY),
        ({"name": "kafka-other"}, Level.MANDATORY),
    ],
)
def test_exemptions(exemption: dict[str, Any], level: Level) -> None:
    configuration = parse({"exemptions": [{**exemption, "reason": "it goes in June", "until": "2026-06-01"}]})
    assert levels(configuration)["min-isr"] is level
    assert levels(configuration, date(2026, 6, 2))["min-isr"] is Level.MANDATORY
    assert list(expired(configuration, TODAY)) == []
    assert "it goes in June" in next(expired(configuration, date(2026, 6, 2)))


def test_a_lower_minimum_passes_what_it_allows() -> None:
    assert "min-isr" not in levels(parse({"rules": {"min-isr": {"minimum": 1}}}))


def test_another_zone_key_is_judged_by() -> None:
    documents = base("official")
    told = tell(World(map(manifest, documents)), parse({"rules": {"zone-spread": {"key": "example.com/rack"}}}), TODAY)
    assert "zone-spread" in {one.verdict.rule for one in told}
