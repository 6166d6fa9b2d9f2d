"""One rule set, three callers: the components' constructors, the policy pack, the command on manifests. A rule is
an entry of its module's `RULES`.
"""

from policies.rules import disruption, quorum, replication, security, spread, start, storage
from policies.rules.model import (
    ClusterFacts,
    Finding,
    KafkaFacts,
    Limits,
    Outcome,
    Rule,
    Severity,
    TopicFacts,
    Verdict,
)
from policies.rules.numbers import cluster_of

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Replication": replication.RULES,
    "Quorum": quorum.RULES,
    "Spread": spread.RULES,
    "Disruption": disruption.RULES,
    "Storage": storage.RULES,
    "Identity and start": start.RULES,
    "Security": security.RULES,
}
RULES: tuple[Rule, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)

__all__ = [
    "GROUPS",
    "RULES",
    "ClusterFacts",
    "Finding",
    "KafkaFacts",
    "Limits",
    "Outcome",
    "Rule",
    "Severity",
    "TopicFacts",
    "Verdict",
    "examine",
    "judge",
]


def judge(facts: KafkaFacts) -> list[Verdict]:
    """Every violation of every rule, in the rules' order; empty when the deployment is safe."""
    return [verdict for verdict in examine(cluster_of(facts)) if verdict.outcome is Outcome.FAIL]


def examine(facts: ClusterFacts, limits: Limits | None = None) -> list[Verdict]:
    """Every violation and everything undecided, in the rules' order."""
    limits = limits or Limits()
    return [verdict for rule in RULES for verdict in _verdicts(rule, facts, limits)]


def _verdicts(rule: Rule, facts: ClusterFacts, limits: Limits) -> list[Verdict]:
    verdicts: dict[Verdict, None] = {}
    for answer in rule.check(facts, limits):
        if isinstance(answer, Finding):
            verdict = Verdict(
                rule.id,
                rule.severity,
                answer.path,
                answer.found,
                answer.required,
                rule.why,
                rule.remedy,
                url=rule.url,
                lines=answer.lines or rule.lines,
            )
        else:
            verdict = Verdict(
                rule.id,
                rule.severity,
                answer.path,
                answer.reason,
                "",
                rule.why,
                rule.remedy,
                Outcome.UNDECIDED,
                rule.url,
            )
        verdicts[verdict] = None
    return list(verdicts)
