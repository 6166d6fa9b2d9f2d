"""Checks on what the producer lives through: gaps and errors."""

from collections import Counter

from drills.checks.check import SHOWN, Check, Verdict, failed, first, named, passed, unknown
from drills.checks.records import false_acknowledgements
from drills.gaps import gaps
from drills.history import Record, under_min_isr
from drills.model import Acknowledged, SendFailed
from drills.words import seconds

REFUSED = "NotEnoughReplicas"
"""What the names of Kafka's two errors of a partition under its minimum ISR begin with."""


def _no_client_errors(record: Record, _: float | None) -> Verdict:
    errors = Counter(failure.error for failure in record.of(SendFailed))
    if errors:
        return failed(f"{errors.total():,} sends failed: {_kinds(errors)}")
    if not record.of(Acknowledged):
        return unknown("nothing was acknowledged, so that the producer may never have run")
    return passed(f"{len(record.of(Acknowledged)):,} records acknowledged, no send failed")


def _longest_gap(record: Record, limit: float | None) -> Verdict:
    longest, before = gaps(record)
    if not longest:
        return unknown("nothing was acknowledged")
    if not record.rounds:
        return unknown("the drill did not come to its fault")
    worst = max(longest.values(), key=lambda gap: gap.seconds)
    detail = f"{seconds(worst.seconds)} in partition {worst.partition}"
    if before:
        detail += f"; before the fault {seconds(max(before.values()))}"
    if worst.end >= record.load_end:
        detail += "; nothing more was acknowledged there"
    return passed(detail) if limit is None or worst.seconds <= limit else failed(detail)


def _writes_refused(record: Record, _: float | None) -> Verdict:
    if found := list(false_acknowledgements(record)):
        return failed(f"{len(found):,} acknowledged falsely: {first(found, len(found))}")
    if not record.of(Acknowledged):
        return unknown("nothing was acknowledged")
    if record.unread:
        return unknown(f"the final read did not reach the end of {named(record.unread)}")
    under = sorted({partition for partition, _, _ in under_min_isr(record)})
    if not under:
        return unknown("no partition was seen under its minimum ISR")
    errors = Counter(failure.error for failure in record.of(SendFailed))
    refused = sum(count for error, count in errors.items() if REFUSED in error)
    if not refused:
        told = f"only {_kinds(errors)}" if errors else "no error; its retries may have hidden them"
        return unknown(f"{named(under)} under the minimum ISR, but the producer told of {told}")
    return passed(f"{refused:,} sends refused with {REFUSED} while {named(under)} had too few in sync")


def _kinds(errors: Counter[str]) -> str:
    told = ", ".join(f"{count:,} {error}" for error, count in errors.most_common(SHOWN))
    return f"{told} and {len(errors) - SHOWN:,} other kinds" if len(errors) > SHOWN else told


CHECKS = (
    Check(
        "longest-gap",
        "acknowledgements go on",
        _longest_gap,
        limited="no partition waits longer than {limit} for an acknowledgement",
        needs_limit=True,
    ),
    Check("no-client-errors", "no error reaches the producer", _no_client_errors),
    Check(
        "writes-refused",
        "with too few in sync, writes are refused and nothing is acknowledged falsely",
        _writes_refused,
    ),
)
"""In the order of a report."""
