"""What a drill measured, in numbers. Pure, and linear in the number of events. Times are seconds."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from drills.gaps import Gap, gaps, silence
from drills.history import Record, Round
from drills.model import Acknowledged, Consumed, EvictionAnswer, PartitionState, QuorumState, SendFailed

BUCKET = 0.1
"""Width of the buckets of throughput."""


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True)


class Throughput(_Figures):
    """Counts per bucket of `width`; the first one begins at `begin`."""

    begin: float
    width: float
    acknowledged: tuple[int, ...]
    failed: tuple[int, ...]


class PartitionFigures(_Figures):
    """Of one partition."""

    partition: int
    acknowledged: int
    longest_gap: Gap | None
    """From the first fault on; None when the load never ran."""
    gap_before: float | None
    """The longest before the first fault: what is normal here."""
    new_leader: float | None
    """From the fault until another leader was seen; None when the leader stayed."""
    whole_isr: float | None
    """From the heal (the fault, where nothing is healed) until all replicas are in sync and stay so; 0 when they were
    all the time, None when that was not reached or not seen.
    """
    fewest_in_sync: int | None
    consumed: int | None
    """The offset after the last one that the reading group got."""
    end: int | None
    """Of the log, as the final read found it."""


class Figures(_Figures):
    """Of a drill. Of many rounds or partitions, the worst."""

    seconds: float
    acknowledged: int
    rate: float | None
    """Acknowledgements a second before the first fault."""
    lost: int | None
    """Acknowledged records that are not at their place in the final read. Where that is not complete there may be more,
    and None stands for none found.
    """
    duplicates: int | None
    """Records of the final read beyond the first of their value; None when it is not complete."""
    errors: dict[str, int]
    """That reached the producer's caller, by kind."""
    longest_gap: Gap | None
    """Of the partition that waited longest."""
    silence: Gap | None
    """The longest time in which no partition was acknowledged anything."""
    gap_before: float | None
    new_leader: float | None
    whole_isr: float | None
    fewest_in_sync: int | None
    leaderless: float | None
    """The longest time that the metadata quorum was seen without a leader; None when it was not looked at."""
    consumer_stall: float | None
    """The longest time in which the reading group got nothing."""
    consumer_behind: int | None
    """Records that the group had not read in the end; None when it or the end is not known."""
    evictions_granted: int
    evictions_refused: int
    throughput: Throughput
    partitions: tuple[PartitionFigures, ...]


@dataclass(frozen=True)
class Move:
    """A fault made another broker the leader."""

    partition: int
    before: int
    after: int
    seconds: float
    """From the fault on."""


def figures(record: Record) -> Figures:
    """All of them."""
    acknowledged = record.of(Acknowledged)
    partitions = tuple(_partitions(record))
    longest = [one.longest_gap for one in partitions if one.longest_gap]
    behind = [max(0, one.end - (one.consumed or 0)) for one in partitions if one.end is not None]
    answers = Counter(answer.granted for answer in record.of(EvictionAnswer))
    complete, missing = bool(record.log) and not record.unread, len(lost(record))
    return Figures(
        seconds=record.ended - record.began,
        acknowledged=len(acknowledged),
        rate=_rate_before(record),
        lost=missing if complete or missing else None,
        duplicates=duplicates(record) if complete else None,
        errors=dict(Counter(failed.error for failed in record.of(SendFailed)).most_common()),
        longest_gap=max(longest, key=lambda gap: gap.seconds, default=None),
        silence=silence(record),
        gap_before=_most(one.gap_before for one in partitions),
        new_leader=_most(one.new_leader for one in partitions),
        whole_isr=_most(whole) if None not in (whole := [one.whole_isr for one in partitions]) else None,
        fewest_in_sync=min((one.fewest_in_sync for one in partitions if one.fewest_in_sync is not None), default=None),
        leaderless=leaderless(record),
        consumer_stall=_stall(record),
        consumer_behind=sum(behind) if record.of(Consumed) and len(behind) == len(partitions) else None,
        evictions_granted=answers[True],
        evictions_refused=answers[False],
        throughput=throughput(record, record.began, record.load_end, BUCKET),
        partitions=partitions,
    )


def lost(record: Record) -> list[Acknowledged]:
    """Acknowledged records that the final read does not have at their place, as far as it went. Where it did not
    reach a partition's end, what was not read is not lost.
    """
    log = record.log
    return [
        one
        for one in record.of(Acknowledged)
        if (found := log[one.partition].values.get(one.offset)) != one.value
        and (found is not None or log[one.partition].end is not None)
    ]


def duplicates(record: Record) -> int:
    """Records of the final read beyond the first of their value."""
    total = sum(len(log.values) for log in record.log.values())
    return total - len({value for log in record.log.values() for value in log.values.values()})


def throughput(record: Record, begin: float, end: float, width: float) -> Throughput:
    """Acknowledgements and errors per `width` from `begin` to `end`."""
    acknowledged = counts((one.at for one in record.of(Acknowledged)), begin, end, width)
    failed = counts((one.at for one in record.of(SendFailed)), begin, end, width)
    return Throughput(begin=begin, width=width, acknowledged=tuple(acknowledged), failed=tuple(failed))


def counts(times: Iterable[float], begin: float, end: float, width: float) -> list[int]:
    """How many of them lie in each bucket."""
    found = [0] * max(1, -int(-(end - begin) // width))
    for at in times:
        if begin <= at <= end:
            found[min(int((at - begin) / width), len(found) - 1)] += 1
    return found


def moves(record: Record) -> list[Move]:
    """For each fault and partition, the first time that another leader was seen."""
    return [
        move
        for states in record.states.values()
        for number in record.rounds
        if (move := _move(states, number)) is not None
    ]


def whole_isr(states: Sequence[PartitionState], number: Round) -> float | None:
    """Seconds from the heal (the fault, where nothing was healed) until the ISR was whole for the rest of the round."""
    begin = number.fault if number.heal is None else number.heal
    before, after = _in(states, begin, number.end)
    since: float | None = None
    for state in [*before, *after]:
        whole = set(state.isr) >= set(state.replicas)
        since = (state.at if since is None else since) if whole else None
    return None if since is None else max(0.0, since - begin)


def leaderless(record: Record) -> float | None:
    """The longest time that the quorum was seen without a leader."""
    states = record.of(QuorumState)
    longest = 0.0
    since: float | None = None
    for state in states:
        if since is not None:
            longest = max(longest, state.at - since)
        since = (state.at if since is None else since) if state.leader is None else None
    if since is not None:
        longest = max(longest, record.ended - since)
    return longest if states else None


def _partitions(record: Record) -> Iterable[PartitionFigures]:
    longest, before = gaps(record)
    acknowledged = Counter(one.partition for one in record.of(Acknowledged))
    new_leader: dict[int, float] = {}
    for move in moves(record):
        new_leader[move.partition] = max(new_leader.get(move.partition, 0.0), move.seconds)
    consumed: dict[int, int] = {}
    for got in record.of(Consumed):
        consumed[got.partition] = max(consumed.get(got.partition, 0), got.last + 1)
    for partition in record.partitions:
        states = record.states.get(partition, ())
        whole = [whole_isr(states, number) for number in record.rounds]
        yield PartitionFigures(
            partition=partition,
            acknowledged=acknowledged[partition],
            longest_gap=longest.get(partition),
            gap_before=before.get(partition),
            new_leader=new_leader.get(partition),
            whole_isr=_most(whole) if None not in whole else None,
            fewest_in_sync=min((len(state.isr) for state in states), default=None),
            consumed=consumed.get(partition),
            end=record.log[partition].end,
        )


def _in(
    states: Sequence[PartitionState], begin: float, end: float
) -> tuple[Sequence[PartitionState], Sequence[PartitionState]]:
    """The state at `begin`, if any was seen, and those after it up to `end`."""
    first, last = (bisect_right(states, at, key=lambda state: state.at) for at in (begin, end))
    return states[max(0, first - 1) : first], states[first:last]


def _move(states: Sequence[PartitionState], number: Round) -> Move | None:
    before, after = _in(states, number.fault, number.end)
    leader = before[0].leader if before else None
    for state in after:
        if leader is None or state.leader is None or state.leader == leader or _is_rebalancing(state, leader, number):
            continue
        return Move(state.partition, leader, state.leader, state.at - number.fault)
    return None


def _is_rebalancing(state: PartitionState, before: int, number: Round) -> bool:
    """After the heal the preferred replica takes the lead back from a leader that never failed: no failover."""
    healed = number.heal is not None and state.at > number.heal
    return healed and state.leader == state.replicas[0] and before in state.isr


def _stall(record: Record) -> float | None:
    times = [got.at for got in record.of(Consumed) if got.at <= record.load_end]
    return max((after - before for before, after in pairwise([*times, record.load_end])), default=None)


def _rate_before(record: Record) -> float | None:
    acknowledged = record.of(Acknowledged)
    if not acknowledged:
        return None
    begin = acknowledged[0].at
    end = record.rounds[0].fault if record.rounds else record.load_end
    return sum(one.at <= end for one in acknowledged) / (end - begin) if end > begin else None


def _most(found: Iterable[float | None]) -> float | None:
    return max((one for one in found if one is not None), default=None)
