"""What must hold in a drill, and whether it did. A drill names its checks before it runs; a record can be judged again
at any time.

    no-loss               what must hold, by its name
    longest-gap=0.3       with a limit, in seconds
"""

from collections.abc import Iterable
from dataclasses import dataclass

from drills.checks import cluster, producer, records
from drills.checks.check import Check, Verdict, unknown
from drills.history import Record
from drills.model import Finding, Outcome, Trouble

__all__ = ["CATALOGUE", "Check", "Expectation", "Verdict", "expectation", "judge", "overall"]

CATALOGUE = {check.name: check for check in (*records.CHECKS, *producer.CHECKS, *cluster.CHECKS)}
"""Every check by its name."""


@dataclass(frozen=True)
class Expectation:
    """A check as a drill asks for it."""

    check: Check
    limit: float | None

    @property
    def statement(self) -> str:
        """What must hold, in words."""
        return self.check.say(self.limit)

    def judge(self, record: Record) -> Verdict:
        """Never a pass for what was broken off, and never an exception: a check that crashes has found nothing out."""
        try:
            verdict = self.check.judge(record, self.limit)
        except Exception as error:  # whatever it is, it must not hide what the other checks say
            return unknown(f"the check itself failed: {type(error).__name__}: {error}")
        if verdict.outcome is Outcome.PASS and not record.complete:
            return unknown(f"the drill did not come to its end; up to there: {verdict.detail}")
        return verdict


def expectation(text: str) -> Expectation:
    """Of its text, such as `longest-gap=0.3`. Raises ValueError, a sentence for the user, when there is none such."""
    name, given, value = text.partition("=")
    check = CATALOGUE.get(name)
    if check is None:
        raise ValueError(f"{text}: there is no check {name}; there are {', '.join(sorted(CATALOGUE))}")
    if not given:
        if check.needs_limit:
            raise ValueError(f"{text}: needs a limit in seconds, such as {name}=0.5")
        return Expectation(check, None)
    if not check.takes_limit:
        raise ValueError(f"{text}: {name} takes no limit; write {name}")
    try:
        limit = float(value)
    except ValueError:
        limit = -1.0
    if not 0 < limit < float("inf"):
        raise ValueError(
            f"{text}: {value or 'nothing'} is no limit; a number of seconds above 0 is allowed, such as 0.5"
        )
    return Expectation(check, limit)


def judge(record: Record) -> list[Finding]:
    """A finding for each expectation of the record, in its order, and for each trouble; where the drill does not apply,
    only why.
    """
    troubles = [Finding(check=one.check, outcome=one.outcome, detail=one.detail) for one in record.of(Trouble)]
    if reasons := [one for one in troubles if one.outcome is Outcome.NOT_APPLICABLE]:
        return reasons
    return [*(_finding(text, record) for text in record.about.expectations), *troubles]


def overall(findings: Iterable[Finding]) -> Outcome:
    """Of the whole drill: one failure fails it; one that does not know, or none at all, keeps it from passing."""
    outcomes = {finding.outcome for finding in findings}
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE):
        if outcome in outcomes:
            return outcome
    return Outcome.UNKNOWN


def _finding(text: str, record: Record) -> Finding:
    try:
        expected = expectation(text)
    except ValueError as error:
        return Finding(check=text, expectation=text, outcome=Outcome.UNKNOWN, detail=str(error))
    verdict = expected.judge(record)
    return Finding(check=expected.statement, expectation=text, outcome=verdict.outcome, detail=verdict.detail)
