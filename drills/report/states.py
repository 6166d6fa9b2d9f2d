"""The lanes of the timeline that show states: partitions, quorum, pods, nodes, budgets."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Generic, TypeVar

from markupsafe import Markup

from drills.history import Record
from drills.model import Acknowledged, BudgetState, Event, EvictionAnswer, NodeState, PodState, QuorumState
from drills.report.lanes import Lane, Mark, rug
from drills.report.scale import Scale
from drills.report.svg import Span, bars, drawing
from drills.words import seconds

COLOURS = 6
"""Of brokers; more of them begin again."""
MOST = 12
"""Lanes of a kind; of more, those that changed most are shown."""
_ROW, _BAR = 10, 8
"""Of a broker: its row, and the bar in it. The style sheet has the same."""
_TOLD, _MARKS = 12, 60

N = TypeVar("N", PodState, NodeState, BudgetState)
S = TypeVar("S", bound=Event)
K = TypeVar("K", bound=Hashable)
_Lasting = Sequence[tuple[Span, S]]


def partitions(record: Record, scale: Scale, notes: Mapping[int, str], *, with_rug: bool = False) -> list[Lane]:
    """Who leads each, who is in sync, with a note under its name; `with_rug` adds its acknowledgements."""
    return [
        _partition(record, partition, scale, notes.get(partition, ""), with_rug=with_rug)
        for partition in sorted(_liveliest(record.states))
    ]


def quorum(record: Record, scale: Scale) -> list[Lane]:
    """Who leads the metadata quorum, who votes."""
    states = lasting(record.of(QuorumState), record.ended)
    voters = sorted({voter for _, state in states for voter in state.voters})
    if not voters:
        return []
    parts = _rows(
        scale,
        voters,
        lambda voter: (span for span, state in states if voter in state.voters),
        lambda voter: (span for span, state in states if state.leader == voter),
    )
    height = _ROW * len(voters)
    parts.append(bars((span for span, state in states if state.leader is None), scale, 0, height, "lost", always=True))
    told = _told(scale, states, lambda state: f"leader {_known(state.leader)}, voters {list(state.voters)}")
    drawn = drawing(height, parts, "Metadata quorum", told)
    return [Lane("voters", drawn, rows=tuple(voters))]


def pods(record: Record, scale: Scale) -> list[Lane]:
    """Each pod of Kafka: ready, terminating, not ready, gone."""
    return _swims(record, scale, record.of(PodState), _POD)


def nodes(record: Record, scale: Scale) -> list[Lane]:
    """Each Kubernetes node: ready, cordoned, not ready."""
    return _swims(record, scale, record.of(NodeState), _NODE)


def budgets(record: Record, scale: Scale) -> list[Lane]:
    """When each budget would grant an eviction, and what was answered to those that were asked for."""
    lanes = _swims(record, scale, record.of(BudgetState), _BUDGET)
    if answers := [answer for answer in record.of(EvictionAnswer) if scale.holds(answer.at)]:
        said = [f"{scale.moment(one.at)} {one.pod} {_answer(one)}" for one in answers[:_TOLD]]
        drawn = drawing(18, (), "Answers to evictions", "; ".join(said))
        marks = tuple(_mark(answer, scale) for answer in answers[:_MARKS])
        lanes.append(Lane("evictions", drawn, note="✓ granted, ✕ refused", marks=marks))
    return lanes


def lasting(states: Sequence[S], end: float) -> _Lasting[S]:
    """Each state with the time that it lasted: up to the next one."""
    ends = [*(state.at for state in states[1:]), max(end, states[-1].at) if states else end]
    return [((state.at, until), state) for state, until in zip(states, ends, strict=False)]


def _partition(record: Record, partition: int, scale: Scale, note: str, *, with_rug: bool) -> Lane:
    states = lasting(record.states[partition], record.ended)
    brokers = sorted({broker for _, state in states for broker in (*state.replicas, *state.isr)})
    above = 14 if with_rug else 0
    parts = _rows(
        scale,
        brokers,
        lambda broker: (span for span, state in states if broker in state.isr),
        lambda broker: (span for span, state in states if state.leader == broker),
        above,
    )
    if with_rug:
        parts.append(rug((one.at for one in record.of(Acknowledged) if one.partition == partition), scale, 0, 10))
    height = above + _ROW * len(brokers)
    under = (span for span, state in states if len(state.isr) < state.min_isr or state.leader is None)
    parts.append(bars(under, scale, above, height - above, "lost", always=True))
    told = _told(scale, states, lambda state: f"leader {_known(state.leader)}, in sync {sorted(state.isr)}")
    return Lane(
        f"partition {partition}",
        drawing(height, parts, f"Partition {partition}", told),
        note=note,
        rows=tuple(brokers),
        css="rugged" if with_rug else "",
    )


def _rows(
    scale: Scale,
    brokers: Sequence[int],
    member: Callable[[int], Iterable[Span]],
    leads: Callable[[int], Iterable[Span]],
    above: int = 0,
) -> list[Markup]:
    """A row for each broker: a line all along, pale where it is a member, full where it leads."""
    parts = []
    for row, broker in enumerate(brokers):
        y, colour = above + row * _ROW, f"b{broker % COLOURS}"
        parts += [
            bars([(scale.begin, scale.end)], scale, y + 3.5, 1, "base"),
            bars(member(broker), scale, y, _BAR, f"{colour} pale"),
            bars(leads(broker), scale, y, _BAR, colour, always=True),
        ]
    return parts


@dataclass(frozen=True)
class _Swim(Generic[N]):
    """How states of something are drawn: a thick bar for what is well, a middling one for what is going, a thin one for
    what is not there.
    """

    title: str
    note: Callable[[N], str]
    say: Callable[[N], str]
    on: Callable[[N], bool]
    off: Callable[[N], bool]
    going: Callable[[N], bool] = lambda _: False

    def bars(self, lasted: _Lasting[N], scale: Scale) -> list[Markup]:
        """Of one lane."""
        places = (("on", self.on, 1, 12), ("going", self.going, 4, 6), ("off", self.off, 6, 2))
        return [
            bars((span for span, state in lasted if holds(state)), scale, y, height, css, always=css != "on")
            for css, holds, y, height in places
        ]


_POD = _Swim[PodState](
    "Pod",
    note=lambda state: state.node,
    say=lambda state: f"{state.phase}{', ready' * state.ready}{', terminating' * state.terminating}",
    on=lambda state: state.ready and not state.terminating,
    going=lambda state: state.terminating,
    off=lambda state: not state.ready and not state.terminating and state.phase != "Gone",
)
_NODE = _Swim[NodeState](
    "Node",
    note=lambda state: state.zone,
    say=lambda state: f"{'ready' if state.ready else 'not ready'}{'' if state.schedulable else ', cordoned'}",
    on=lambda state: state.ready and state.schedulable,
    going=lambda state: state.ready and not state.schedulable,
    off=lambda state: not state.ready,
)
_BUDGET = _Swim[BudgetState](
    "Disruption budget",
    note=lambda _: "budget",
    say=lambda state: f"{state.allowed} evictions allowed",
    on=lambda state: state.allowed > 0,
    off=lambda state: state.allowed == 0,
)


def _swims(record: Record, scale: Scale, states: Iterable[N], how: _Swim[N]) -> list[Lane]:
    """A lane for each name."""
    found: dict[str, list[N]] = {}
    for state in states:
        found.setdefault(state.name, []).append(state)
    note = {name: how.note(of_name[-1]) for name, of_name in found.items()}
    short_name, short_note = _shortened(found), _shortened(note.values())
    lanes = []
    for name in sorted(_liveliest(found)):
        lasted = lasting(found[name], record.ended)
        drawn = drawing(14, how.bars(lasted, scale), f"{how.title} {name}", _told(scale, lasted, how.say))
        lanes.append(Lane(short_name[name], drawn, note=short_note[note[name]]))
    return lanes


def _shortened(names: Iterable[str]) -> dict[str, str]:
    """Each name without the words that all begin with: the room is for what tells them apart. Two words stay."""
    words = {name: name.split("-") for name in names}
    firsts = zip(*(of_name[:-2] for of_name in words.values()), strict=False)
    common = len(list(takewhile(lambda first: len(set(first)) == 1, firsts))) if len(words) > 1 else 0
    return {name: f"…{'-'.join(of_name[common:])}" if common > 1 else name for name, of_name in words.items()}


def _mark(answer: EvictionAnswer, scale: Scale) -> Mark:
    title = f"{scale.moment(answer.at)}: eviction of {answer.pod} {_answer(answer)}"
    sign, css = ("✓", "granted") if answer.granted else ("✕", "refused")
    return Mark(scale.percent(answer.at), sign, css, f"{title}: {answer.message[:200]}" if answer.message else title)


def _answer(answer: EvictionAnswer) -> str:
    return "granted" if answer.granted else "refused"


def _told(scale: Scale, states: _Lasting[S], say: Callable[[S], str]) -> str:
    """The states of the window in words, for those who can't see the drawing."""
    seen = [(span, state) for span, state in states if span[1] >= scale.begin and span[0] <= scale.end]
    told = []
    for (begin, end), state in seen[:_TOLD]:
        since = max(begin, scale.begin)
        told.append(f"from {scale.moment(since)} for {seconds(end - since)}: {say(state)}")
    return "; ".join(told) + (f"; and {len(seen) - _TOLD} more" if len(seen) > _TOLD else "")


def _liveliest(states: Mapping[K, Sequence[S]]) -> list[K]:
    """Those that changed most."""
    return sorted(states, key=lambda key: -len(states[key]))[:MOST]


def _known(leader: int | None) -> str:
    return "none" if leader is None else str(leader)
