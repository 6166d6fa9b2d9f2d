"""How a user's mistake is told: every error at once, each a sentence, and no traceback."""

from collections.abc import Iterable

import pulumi

from policies.rules import KafkaFacts, Severity, judge


class UnsafeSettings(pulumi.RunError):
    """The settings can't be deployed. The engine shows the message and no traceback."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(("the settings can't be deployed:", *(f"  {error}" for error in self.errors))))


def violations(facts: KafkaFacts) -> list[str]:
    """What stops a deployment of these facts, a sentence each."""
    return [str(verdict) for verdict in judge(facts) if verdict.severity is Severity.ERROR]


def refuse_unsafe(facts: KafkaFacts) -> None:
    """Raises `UnsafeSettings` when a rule is violated."""
    if errors := violations(facts):
        raise UnsafeSettings(errors)
