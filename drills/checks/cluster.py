"""Checks on the cluster: ISR, leaders, evictions, the metadata quorum."""

from typing import Literal

from drills.checks.check import Check, Verdict, failed, first, named, passed, unknown
from drills.figures import leaderless, moves, whole_isr
from drills.history import Record, under_min_isr
from drills.model import EvictionAnswer, PodState, QuorumState
from drills.words import moment, seconds


def _isr_whole_again(record: Record, limit: float | None) -> Verdict:
    if (doubt := _unseen(record)) is not None:
        return doubt
    last = {partition: record.states[partition][-1] for partition in record.partitions}
    short = [
        f"partition {partition} has {sorted(state.isr)} of {sorted(state.replicas)} in sync"
        for partition, state in last.items()
        if not set(state.isr) >= set(state.replicas)
    ]
    if short:
        return _in_the_end(record, first(short, len(short)))
    if not record.rounds:
        return unknown("the drill did not come to its fault")
    times = [whole_isr(record.states[partition], number) for partition in record.partitions for number in record.rounds]
    reached = [time for time in times if time is not None]
    worst = max(reached, default=0.0)
    if limit is not None and (len(reached) < len(times) or worst > limit):
        late = "not within its round" if len(reached) < len(times) else f"after {seconds(worst)}"
        return failed(f"whole again {late}")
    return passed(f"all replicas of {len(last)} partitions in sync, the last {seconds(worst)} after the heal")


def _min_isr_kept(record: Record, _: float | None) -> Verdict:
    under = list(under_min_isr(record))
    if under:
        told = (
            f"partition {partition} for {seconds(min(end, record.ended) - begin)}, from {moment(begin - record.origin)}"
            for partition, begin, end in under
        )
        return failed(f"under the minimum ISR: {first(told, len(under))}")
    if (doubt := _unseen(record)) is not None:
        return doubt
    fewest = min(len(state.isr) for states in record.states.values() for state in states)
    return passed(f"never fewer than {fewest} in sync; {record.about.min_isr} are needed")


def _leader_moved(record: Record, _: float | None) -> Verdict:
    found = sorted(moves(record), key=lambda move: -move.seconds)
    if found:
        told = (
            f"partition {one.partition} from {one.before} to {one.after} in {seconds(one.seconds)}" for one in found
        )
        return passed(first(told, len(found)))
    if not record.rounds:
        return unknown("the drill did not come to its fault")
    begin = record.rounds[0].fault
    if unseen := [one for one in record.partitions if not record.states.get(one) or record.states[one][0].at > begin]:
        return unknown(f"who led {named(unseen)} before the fault was not recorded")
    return failed("every leader stayed")


def _second_eviction_refused(record: Record, _: float | None) -> Verdict:
    pods = {state.name for state in record.of(PodState)}
    if not pods:
        return unknown("the pods were not recorded")
    away: dict[str, Literal["asked", "gone"]] = {}
    refused = 0
    for event in record.events:
        if isinstance(event, PodState) and event.name in away:
            if not event.ready or event.terminating:
                away[event.name] = "gone"
            elif away[event.name] == "gone":
                del away[event.name]
        elif isinstance(event, EvictionAnswer) and event.pod in pods:
            others = sorted(away.keys() - {event.pod})
            if event.granted and others:
                told = f"granted at {moment(event.at - record.origin)} while {others[0]} was away"
                return failed(f"the eviction of {event.pod} was {told}")
            if event.granted:
                away[event.pod] = "asked"
            elif others:
                refused += 1
    if not refused:
        return unknown("no second eviction was asked for while the first pod was away")
    return passed(f"refused {'once' if refused == 1 else f'{refused:,} times'} while another pod was away")


def _quorum_kept(record: Record, limit: float | None) -> Verdict:
    states = record.of(QuorumState)
    first_seen = next((state for state in states if state.voters), None)
    if first_seen is None:
        return unknown("the metadata quorum was not recorded")
    if limit is None or not record.rounds:
        return unknown("the drill did not come to its fault")
    majority = len(first_seen.voters) // 2 + 1
    for state in states:
        if state.leader is not None and len(state.voters) < majority:
            told = f"{len(state.voters)} of {len(first_seen.voters)} voters were left"
            return failed(f"at {moment(state.at - record.origin)} {told}")
    if states[-1].leader is None:
        return _in_the_end(record, f"no leader, from {moment(states[-1].at - record.origin)}")
    longest = leaderless(record) or 0.0
    detail = f"{len(states[-1].voters)} voters, {states[-1].leader} leads; without a leader at most {seconds(longest)}"
    return passed(detail) if longest <= limit else failed(detail)


def _in_the_end(record: Record, told: str) -> Verdict:
    """A drill that was broken off has left the cluster on its way, which is no failure yet."""
    return failed(f"in the end {told}") if record.complete else unknown(f"when the drill was broken off {told}")


def _unseen(record: Record) -> Verdict | None:
    """Why nothing can be said of the ISR; None when something can."""
    missing = [partition for partition in record.partitions if partition not in record.states]
    return unknown(f"the ISR of {named(missing)} was not recorded") if missing else None


CHECKS = (
    Check("min-isr-kept", "no partition falls under its minimum ISR", _min_isr_kept),
    Check("leader-moved", "another broker takes the lead", _leader_moved),
    Check(
        "isr-whole-again",
        "in the end all replicas are in sync again",
        _isr_whole_again,
        limited="within {limit} after the heal all replicas are in sync again",
    ),
    Check("second-eviction-refused", "no second node of Kafka may go while one is away", _second_eviction_refused),
    Check(
        "quorum-kept",
        "the metadata quorum goes on",
        _quorum_kept,
        limited="the metadata quorum keeps a majority, and has a leader again within {limit}",
        needs_limit=True,
    ),
)
"""In the order of a report."""
