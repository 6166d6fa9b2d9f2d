"""What happened, in words: the list of a drill's steps, and its sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drills.figures import Figures
from drills.history import Record
from drills.model import EvictionAnswer, Finding, NodeState, Note, Outcome, Phase, PodState, QuorumState
from drills.words import moment, seconds

MOST = 400
"""Steps that a page tells."""
LONGEST = 400
"""Characters of a step."""
_KINDS = (Phase, Note, EvictionAnswer, NodeState, PodState, QuorumState)


@dataclass(frozen=True)
class Step:
    """An event in words."""

    at: str
    css: str
    """Its kind."""
    text: str


def steps(record: Record) -> tuple[Sequence[Step], int]:
    """The steps to be told, and how many there are beyond them."""
    found = list(_steps(record))
    return found[:MOST], max(0, len(found) - MOST)


def headline(figures: Figures, findings: Sequence[Finding]) -> str:
    """What one would say to a colleague."""
    wrong = [one for one in findings if one.outcome is Outcome.FAIL]
    doubtful = [one for one in findings if one.outcome is Outcome.UNKNOWN]
    if wrong:
        return f"{len(wrong)} of {len(findings)} expectations did not hold."
    if doubtful or not findings:
        return f"{len(doubtful)} of {len(findings)} expectations could not be judged: this proves nothing yet."
    if all(one.outcome is Outcome.NOT_APPLICABLE for one in findings):
        return "Nothing of what was expected applies here."
    gap, lost = figures.longest_gap, ", none was lost" if figures.lost == 0 else ""
    waited = f", and no partition waited longer than {seconds(gap.seconds)} for the next one" if gap else ""
    return f"{figures.acknowledged:,} records were acknowledged{lost}{waited}."


def _steps(record: Record) -> Iterator[Step]:
    seen: dict[tuple[type, str], str] = {}
    for event in record.events:
        if not isinstance(event, _KINDS):
            continue
        css, key, text = _words(event)
        if key and seen.get((type(event), key), "") == text:
            continue
        first = key and (type(event), key) not in seen
        seen[(type(event), key)] = text
        if not first:  # what a thing was at the beginning is no step
            yield Step(moment(event.at - record.origin), css, text[:LONGEST])


def _words(event: Phase | Note | EvictionAnswer | NodeState | PodState | QuorumState) -> tuple[str, str, str]:
    """Kind, the thing whose state it is (empty for none), and words."""
    match event:
        case Phase():
            return "phase", "", f"{event.name}{': ' + event.detail if event.detail else ''}"
        case Note():
            return "note", "", event.text
        case EvictionAnswer():
            said = "granted" if event.granted else "refused"
            return said, "", f"eviction of {event.pod} {said}{': ' + event.message if event.message else ''}"
        case NodeState():
            ready = "ready" if event.ready else "not ready"
            return "state", event.name, f"node {event.name}: {ready}{'' if event.schedulable else ', cordoned'}"
        case PodState():
            ready = "ready" if event.ready else "not ready"
            going = ", terminating" if event.terminating else ""
            return "state", event.name, f"pod {event.name}: {event.phase}, {ready}{going}"
        case QuorumState():
            leader = "nobody" if event.leader is None else f"controller {event.leader}"
            return "state", "quorum", f"{leader} leads the quorum of {list(event.voters)}"
