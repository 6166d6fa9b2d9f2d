"""Each rule against plain facts, and the catalogue as a whole."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules import RULES, KafkaFacts, Rule, Severity, TopicFacts, judge
from policies.rules.disruption import tolerated

SAFE = KafkaFacts(
    path="kafka",
    zones_path="cluster.zones",
    brokers=3,
    voters=3,
    zones=("a", "b", "c"),
    replication_factor=3,
    min_isr=2,
    max_unavailable=1,
)
LARGE = replace(SAFE, brokers=6, voters=5, combined=False, replication_factor=4, max_unavailable=2)


def topic(replication_factor: int, min_isr: int) -> tuple[TopicFacts, ...]:
    return (TopicFacts("topics[0]", "orders", replication_factor, min_isr),)


@pytest.mark.parametrize(
    "facts",
    [
        SAFE,
        LARGE,
        replace(SAFE, zones=None),
        replace(SAFE, zones=("a", "b", "c", "d")),
        replace(SAFE, topics=topic(3, 2)),
        replace(LARGE, topics=topic(5, 3)),
        replace(LARGE, max_unavailable=1),
    ],
)
def test_safe(facts: KafkaFacts) -> None:
    assert [verdict for verdict in judge(facts) if verdict.severity is Severity.ERROR] == []
    assert {verdict.rule for verdict in judge(facts)} == ({"combined-mode"} if facts.combined else set())


@pytest.mark.parametrize(
    ("rule", "facts", "path", "found"),
    [
        ("replication-factor", replace(SAFE, replication_factor=2, min_isr=2), "kafka.replicationFactor", "2"),
        ("replication-factor", replace(SAFE, topics=topic(1, 2)), "topics[0].replicationFactor", "1"),
        ("replication-fits-brokers", replace(SAFE, replication_factor=4), "kafka.replicationFactor", "4"),
        ("replication-fits-brokers", replace(SAFE, topics=topic(4, 2)), "topics[0].replicationFactor", "4"),
        ("min-isr", replace(SAFE, min_isr=1), "kafka.minInsyncReplicas", "1"),
        ("min-isr", replace(SAFE, topics=topic(3, 1)), "topics[0].minInsyncReplicas", "1"),
        ("min-isr-below-replication-factor", replace(SAFE, min_isr=3), "kafka.minInsyncReplicas", "3"),
        ("min-isr-below-replication-factor", replace(SAFE, topics=topic(3, 4)), "topics[0].minInsyncReplicas", "4"),
        (
            "unclean-election",
            replace(SAFE, topics=(replace(topic(3, 2)[0], unclean=True),)),
            "topics[0].config[unclean.leader.election.enable]",
            "true",
        ),
        ("odd-voters", replace(LARGE, voters=4), "kafka.controllers", "4"),
        ("odd-voters", replace(SAFE, brokers=4, voters=4), "kafka.brokers", "4 (each broker votes)"),
        ("voters", replace(LARGE, voters=1), "kafka.controllers", "1"),
        ("zone-majority", replace(SAFE, zones=("a", "b")), "cluster.zones", "2 zones for 3 voters"),
        ("zones", replace(SAFE, zones=("a", "b")), "cluster.zones", "2 zones (a, b)"),
        ("disruption-budget", replace(SAFE, max_unavailable=2), "kafka.maxUnavailable", "2"),
        ("disruption-budget", replace(SAFE, max_unavailable=0), "kafka.maxUnavailable", "0"),
        ("disruption-budget", replace(LARGE, voters=3, combined=True), "kafka.maxUnavailable", "2"),
        ("disruption-budget", replace(LARGE, max_unavailable=3), "kafka.maxUnavailable", "3"),
        (
            "disruption-budget",
            replace(LARGE, controllers_max_unavailable=3),
            "kafka.controllers.maxUnavailable",
            "3",
        ),
    ],
)
def test_unsafe(rule: str, facts: KafkaFacts, path: str, found: str) -> None:
    verdicts = [verdict for verdict in judge(facts) if verdict.rule == rule]
    assert [(verdict.path, verdict.found) for verdict in verdicts] == [(path, found)]
    for part in (path, found, verdicts[0].required, verdicts[0].remedy, rule):
        assert part in str(verdicts[0])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert [other.id for other in RULES].count(rule.id) == 1
    assert rule.why.endswith(".")
    assert any(source in rule.why for source in ("KIP-", "documentation", "Kafka's")), "why names its source"
    assert rule.remedy.endswith(".")
    assert rule.framework


COUNTS = st.integers(1, 12)


@settings(deadline=None)
@given(COUNTS, st.none() | COUNTS, COUNTS, COUNTS, st.integers(1, 5))
def test_what_passes_outlives_the_loss_of_the_budget_and_of_a_zone(
    brokers: int, controllers: int | None, factor: int, min_isr: int, zones: int
) -> None:
    """The rules together mean what they are for, whatever the numbers. `controllers`: None in combined mode."""
    combined, voters = controllers is None, controllers or brokers
    budget = max(1, tolerated(factor, min_isr, voters if combined else None))
    voters_budget = budget if combined else max(1, (voters - 1) // 2)
    names = tuple(f"zone-{index}" for index in range(zones))
    counts = brokers, voters, names, factor, min_isr, budget, combined, voters_budget
    verdicts = judge(KafkaFacts("kafka", "zones", *counts))
    if any(verdict.severity is Severity.ERROR for verdict in verdicts):
        return
    assert factor <= brokers
    assert factor - budget >= min_isr, "writes go on while the budget is used up"
    assert 2 * (voters - voters_budget) > voters, "so does the quorum"
    assert 2 * (voters - -(-voters // zones)) > voters, "the quorum outlives the fullest zone"
    assert factor - -(-factor // zones) >= min_isr, "so do writes"
