"""One rule set, two callers: the components' constructors, and the policy pack. A rule is an entry of its
module's `RULES`.
"""

from policies.rules import disruption, quorum, replication, spread
from policies.rules.model import Finding, KafkaFacts, Rule, Severity, TopicFacts, Verdict

RULES: tuple[Rule, ...] = (*replication.RULES, *quorum.RULES, *spread.RULES, *disruption.RULES)

__all__ = ["RULES", "Finding", "KafkaFacts", "Rule", "Severity", "TopicFacts", "Verdict", "judge"]


def judge(facts: KafkaFacts) -> list[Verdict]:
    """Every violation of every rule, in the rules' order; empty when the deployment is safe."""
    return [
        Verdict(rule.id, rule.severity, found.path, found.found, found.required, rule.why, rule.remedy)
        for rule in RULES
        for found in rule.check(facts)
    ]
