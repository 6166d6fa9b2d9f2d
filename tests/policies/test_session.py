"""A run of the engine: resources shown one by one, the stack last."""

from datetime import date
from typing import Any

import pytest

from policies.configuration import Level
from policies.manifest import Manifest, manifest
from policies.session import Session
from tests.policies.manifests import HERE, base, load

TODAY = date(2026, 6, 1)


def run(documents: list[dict[str, Any]], given: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
    """What is told mandatorily while resources are shown, and at the end."""
    session = Session(TODAY)
    session.configure(given or {})
    told = shown(session, documents)
    return told, [message for level, message, _ in session.end([]) if level is Level.MANDATORY]


def shown(session: Session, documents: list[dict[str, Any]]) -> list[str]:
    """What is told mandatorily while resources are shown."""
    told = []
    for one in documents:
        urn = f"urn:{one['kind']}/{one['metadata']['name']}"
        session.show(urn, "p", manifest(one, urn))
        told += session.waiting(urn, Level.MANDATORY)
    return told


def test_what_one_object_decides_is_told_with_it() -> None:
    case = load(HERE / "cases/min-isr/fail-official.yaml")
    shown, ended = run(case.documents)
    assert len(shown) == 1
    assert "(min-isr:" in shown[0]
    assert ended == [], "and not again"


@pytest.mark.parametrize("order", [1, -1])
def test_a_missing_budget_is_told_at_the_end(order: int) -> None:
    case = load(HERE / "cases/disruption-budget-missing/fail-official-none.yaml")
    shown, ended = run(case.documents[::order])
    assert shown == []
    assert len(ended) == 1
    assert "(disruption-budget-missing:" in ended[0]


@pytest.mark.parametrize("name", ["official", "confluent", "bitnami", "own", "strimzi", "cfk", "redpanda"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_safe_cluster_is_told_nothing_in_any_order(name: str, order: int) -> None:
    assert run(base(name)[::order]) == ([], [])


def test_a_wrong_configuration_stops_every_resource() -> None:
    shown, ended = run(base("official"), {"rules": {"min-isr": "off"}})
    assert len(shown) == len(base("official"))
    assert "the configuration of the policy pack can't be used: rules.min-isr" in shown[0]
    assert len(ended) == 1


def test_clusters_of_other_providers_are_kept_apart() -> None:
    session = Session(TODAY)
    for home in ("one", "two"):
        for one in base("official"):
            if home == "one" or one["kind"] != "PodDisruptionBudget":
                urn = f"{home}:{one['kind']}"
                session.show(urn, home, manifest(one, urn))
    ended = [message for level, message, _ in session.end([]) if level is Level.MANDATORY]
    assert len(ended) == 1
    assert "(disruption-budget-missing:" in ended[0]


def test_a_budget_that_only_the_stack_shows_counts() -> None:
    documents = base("official")
    session = Session(TODAY)
    others: list[tuple[str, str, Manifest]] = []
    for one in documents:
        urn = one["kind"]
        if one["kind"] == "PodDisruptionBudget":
            others.append((urn, "p", manifest(one, urn)))
        else:
            session.show(urn, "p", manifest(one, urn))
    assert [message for level, message, _ in session.end(others) if level is Level.MANDATORY] == []


def test_a_second_run_begins_anew() -> None:
    session = Session(TODAY)
    case = load(HERE / "cases/min-isr/fail-official.yaml")
    for _ in range(2):
        assert len(shown(session, case.documents)) == 1
        session.end([])


def test_an_exemption_that_is_over_is_told_and_holds_no_longer() -> None:
    case = load(HERE / "cases/min-isr/fail-official.yaml")
    exemption = {"namespace": "shop", "reason": "it went in May", "until": "2026-05-31"}
    session = Session(TODAY)
    session.configure({"exemptions": [exemption]})
    told = []
    for one in case.documents:
        session.show(one["kind"], "p", manifest(one, one["kind"]))
        told += session.waiting(one["kind"], Level.MANDATORY)
    assert len(told) == 1
    assert "(min-isr:" in told[0]
    assert (
        Level.ADVISORY,
        "exemptions[0] ended on 2026-05-31 and no longer holds (it went in May)",
        "",
    ) in session.end([])
