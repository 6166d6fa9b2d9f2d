"""The timeline: all lanes over one axis, with the phases and the longest gap behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from drills.figures import Figures
from drills.gaps import Gap
from drills.history import Record
from drills.report import lanes, states
from drills.report.lanes import Lane
from drills.report.scale import WIDTH, Scale
from drills.words import seconds

CROWDED = 1500
"""Changes of state from which on they are drawn more coarsely, so that the page stays small."""
_BANDS = 300


@dataclass(frozen=True)
class Band:
    """A stretch of time, in percent."""

    left: float
    width: float
    name: str
    title: str

    @property
    def roomy(self) -> bool:
        """Whether its name has room on the page."""
        return self.width >= 5

    @property
    def label(self) -> str:
        """Where the label of a marked band goes: inside it, or beside it where it has no room."""
        return "inside" if self.width > 15 else "before" if self.left + self.width > 80 else "after"


@dataclass(frozen=True)
class Chart:
    """What the page draws."""

    scale: Scale
    groups: Sequence[tuple[str, Sequence[Lane]]]
    """Named; without a name for what needs none."""
    bands: Sequence[Band]
    gap: Band | None
    ticks: Sequence[tuple[float, str]]


def overview(record: Record, figures: Figures) -> Chart:
    """The whole time of the load."""
    changes = sum(map(len, record.states.values()))
    scale = Scale(record.began, record.load_end, record.origin, WIDTH if changes < CROWDED else WIDTH // 4)
    counted = [lanes.acknowledgements(record, scale), lanes.errors(record, scale), lanes.behind(record, scale)]
    groups = [("", [lane for lane in counted if lane is not None]), *_states(record, scale, figures)]
    return draw(record, scale, groups, figures.longest_gap)


def close_up(record: Record, figures: Figures) -> Chart | None:
    """The longest gap with what happened around it; None where the overview shows it as well."""
    gap = figures.longest_gap
    if gap is None:
        return None
    around = max(0.5, gap.seconds)
    scale = Scale(gap.begin - around, gap.end + around, record.origin)
    if scale.seconds > (record.load_end - record.began) / 2:
        return None
    return draw(record, scale, _states(record, scale, figures, with_rug=True), gap)


def _states(
    record: Record, scale: Scale, figures: Figures, *, with_rug: bool = False
) -> list[tuple[str, Sequence[Lane]]]:
    gaps = {one.partition: one.longest_gap for one in figures.partitions}
    notes = {partition: f"gap {seconds(gap.seconds)}" for partition, gap in gaps.items() if gap}
    many = len(record.states) > states.MOST
    return [
        (
            f"Partitions ({states.MOST} of {len(record.states)})" if many else "Partitions",
            states.partitions(record, scale, notes, with_rug=with_rug),
        ),
        ("Metadata quorum", states.quorum(record, scale)),
        ("Pods", states.pods(record, scale)),
        ("Nodes", states.nodes(record, scale)),
        ("Evictions", states.budgets(record, scale)),
    ]


def draw(record: Record, scale: Scale, groups: Sequence[tuple[str, Sequence[Lane]]], gap: Gap | None = None) -> Chart:
    """The lanes over the scale, with the phases behind them."""
    bands = [
        _band(scale, max(phase.begin, scale.begin), min(phase.end, scale.end), phase.name, phase.detail)
        for phase in record.phases
        if phase.end >= scale.begin and phase.begin < scale.end and phase.name != "audit"
    ][:_BANDS]
    marked = None
    if gap is not None:
        marked = _band(scale, gap.begin, gap.end, seconds(gap.seconds), f"the longest gap, partition {gap.partition}")
    return Chart(scale, [(name, drawn) for name, drawn in groups if drawn], bands, marked, scale.ticks())


def _band(scale: Scale, begin: float, end: float, name: str, detail: str) -> Band:
    left = scale.percent(begin)
    title = f"{name}: {scale.moment(begin)} to {scale.moment(end)}{', ' + detail if detail else ''}"
    return Band(left, round(scale.percent(end) - left, 2), name, title)
