"""Checks on the records: what was acknowledged against what the log holds."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from drills.checks.check import Check, Verdict, failed, first, named, passed, unknown
from drills.figures import duplicates, lost
from drills.history import PartitionLog, Record, under_min_isr
from drills.model import Acknowledged, Consumed

SLACK = 0.5
"""Seconds from either end of a time under the minimum ISR in which an acknowledgement proves nothing against Kafka: the
ISR is looked at several times a second, and what a broker decides reaches the others and the producer a little later.
"""


def false_acknowledgements(record: Record) -> Iterator[str]:
    """Each acknowledgement that claims what was not so, in words."""
    claimed: dict[tuple[int, int], int] = {}
    for one in record.of(Acknowledged):
        where = f"record {one.value} was acknowledged at {_place(one.partition, one.offset)}"
        earlier = claimed.setdefault((one.partition, one.offset), one.value)
        found = record.log[one.partition].values.get(one.offset)
        if earlier != one.value:
            yield f"{where}, which record {earlier} had been acknowledged"
        elif found not in (None, one.value):
            yield f"{where}, which holds record {found}"
        elif one.offset in record.log[one.partition].disputed:
            yield f"{where}, which was read with different values"
    yield from _acknowledged_under_min_isr(record)


def _acknowledged_under_min_isr(record: Record) -> Iterator[str]:
    under = defaultdict(list)
    for partition, begin, end in under_min_isr(record):
        if end - begin > 2 * SLACK:
            under[partition].append((begin + SLACK, end - SLACK))
    for one in record.of(Acknowledged) if under else ():
        times = under.get(one.partition, [])
        while times and times[0][1] < one.at:
            times.pop(0)
        if times and times[0][0] < one.at:
            since = one.at - times[0][0] + SLACK
            where = _place(one.partition, one.offset)
            yield f"record {one.value} was acknowledged at {where}, {since:.1f} s after the ISR fell under its minimum"


def _no_loss(record: Record, _: float | None) -> Verdict:
    acknowledged = record.of(Acknowledged)
    if missing := lost(record):
        places = (
            f"record {one.value} at {_place(one.partition, one.offset)}: {_instead(record, one)}" for one in missing
        )
        return failed(f"{len(missing):,} of {len(acknowledged):,} lost: {first(places, len(missing))}")
    if (doubt := _doubt(record)) is not None:
        return doubt
    if holes := sum(log.holes for log in record.log.values()):
        return unknown(f"the final read left out {holes:,} offsets that nobody was acknowledged")
    return passed(f"all {len(acknowledged):,} acknowledged records read back at their partition and offset")


def _no_false_acknowledgement(record: Record, _: float | None) -> Verdict:
    if found := list(false_acknowledgements(record)):
        return failed(f"{len(found):,} false: {first(found, len(found))}")
    if (doubt := _doubt(record)) is not None:
        return doubt
    if unseen := sorted({one.partition for one in record.of(Acknowledged)} - set(record.states)):
        return unknown(f"the ISR of {named(unseen)} was not recorded")
    return passed(
        f"{len(record.of(Acknowledged)):,} acknowledgements, none under the minimum ISR or at another's offset"
    )


def _order_kept(record: Record, _: float | None) -> Verdict:
    broken = [place for partition, log in record.log.items() for place in _backwards(partition, log)]
    if broken:
        return failed(f"{len(broken):,} out of order: {first(broken, len(broken))}")
    if (doubt := _doubt(record)) is not None:
        return doubt
    read = sum(len(log.values) for log in record.log.values())
    return passed(f"{read:,} records, each after those that were sent before it to its partition")


def _no_duplicates(record: Record, _: float | None) -> Verdict:
    if doubled := duplicates(record):
        places: dict[int, list[str]] = defaultdict(list)
        for partition, log in record.log.items():
            for offset, value in log.values.items():
                places[value].append(_place(partition, offset))
        told = (f"record {value} at {' and '.join(where)}" for value, where in places.items() if len(where) > 1)
        return failed(f"{doubled:,} more than once: {first(told, doubled)}")
    return _doubt(record) or passed("every record is in the log once")


def _consumer_goes_on(record: Record, _: float | None) -> Verdict:
    reached: dict[int, int] = {}
    skipped = []
    for got in sorted(record.of(Consumed), key=lambda got: (got.partition, got.first)):
        upto = reached.get(got.partition)
        if upto is not None and got.first > upto:
            skipped.append(f"{_place(got.partition, upto)} to {got.first - 1}")
        reached[got.partition] = max(upto or 0, got.last + 1)
    if not reached:
        return unknown("nothing was recorded of the reading group")
    if skipped:
        return failed(f"the group left out {first(skipped, len(skipped))}")
    late = [
        f"{_place(partition, reached.get(partition, 0))} of {log.end}"
        for partition, log in record.log.items()
        if log.end is not None and log.values and reached.get(partition, 0) < log.end
    ]
    if late:
        return failed(f"the group stopped at {first(late, len(late))}")
    return _doubt(record) or passed(f"read to the end of all {record.about.partitions} partitions, nothing left out")


def _doubt(record: Record) -> Verdict | None:
    """Why the final read proves nothing; None when it does."""
    if not record.of(Acknowledged):
        return unknown("nothing was acknowledged")
    if record.unread:
        return unknown(f"the final read did not reach the end of {named(record.unread)}")
    return None


def _backwards(partition: int, log: PartitionLog) -> Iterator[str]:
    """Where a record follows one that was sent later. Only the first place of each counts: a duplicate is another
    matter.
    """
    seen: dict[int, int] = {}
    for offset in sorted(log.values):
        seen.setdefault(log.values[offset], offset)
    for before, after in pairwise(seen):
        if after < before:
            yield f"record {after} at {_place(partition, seen[after])} follows record {before}"


def _instead(record: Record, one: Acknowledged) -> str:
    log = record.log[one.partition]
    if (found := log.values.get(one.offset)) is not None:
        return f"record {found} is there"
    return f"the log ends at {log.end}" if one.offset >= (log.end or 0) else "nothing is there"


def _place(partition: int, offset: int) -> str:
    return f"partition {partition} offset {offset}"


CHECKS = (
    Check("no-loss", "no acknowledged record is lost", _no_loss),
    Check("no-false-acknowledgement", "nothing is acknowledged that the log does not hold", _no_false_acknowledgement),
    Check("order-kept", "each partition keeps the order of sending", _order_kept),
    Check("no-duplicates", "no record is in the log twice", _no_duplicates),
    Check("consumer-goes-on", "the reading group gets everything, up to the end", _consumer_goes_on),
)
"""In the order of a report."""
