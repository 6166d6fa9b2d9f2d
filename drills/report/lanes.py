"""The lanes of the timeline that count: acknowledgements, errors, what the reading group lacks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from drills.figures import BUCKET, counts
from drills.history import Record
from drills.model import Acknowledged, Consumed, SendFailed
from drills.report.scale import Scale
from drills.report.svg import area, bars, drawing

STEPS = 900
"""The most steps of an area: more than can be told apart."""
RUG = 500
"""Columns of a partition's acknowledgements."""


@dataclass(frozen=True)
class Mark:
    """A sign on a lane."""

    left: float
    """Percent."""
    sign: str
    css: str
    title: str


@dataclass(frozen=True)
class Lane:
    """A row of the timeline."""

    label: str
    svg: Markup
    note: str = ""
    """Under the label."""
    rows: tuple[int, ...] = ()
    """Brokers whose rows it has, from above."""
    marks: tuple[Mark, ...] = ()
    top: str = ""
    """What the full height stands for."""
    css: str = ""


def acknowledgements(record: Record, scale: Scale, top: float | None = None) -> Lane:
    """Per 100 ms. Where a step holds more than one bucket, the pale part reaches up to the highest of them and the full
    one to the lowest, so that no gap is smoothed away.
    """
    per_bucket = counts((one.at for one in record.of(Acknowledged)), scale.begin, scale.end, BUCKET)
    each = -(-len(per_bucket) // STEPS)
    groups = [per_bucket[at : at + each] for at in range(0, len(per_bucket), each)]
    highest = top or _usual(per_bucket)
    low = area([min(group) for group in groups], highest, 110, "acked")
    high = [area([max(group) for group in groups], highest, 110, "acked pale")] if each > 1 else []
    silent = sum(not count for count in per_bucket)
    return Lane(
        "acknowledged",
        drawing(
            110,
            [*high, low],
            "Acknowledgements per 100 ms",
            f"At most {max(per_bucket)}; {silent} of {len(per_bucket)} intervals without any.",
        ),
        note="per 100 ms" if max(per_bucket) <= highest else f"per 100 ms, up to {max(per_bucket):,}",
        top=f"{highest:,g}",
        css="tall",
    )


def top_of(record: Record, scale: Scale) -> float:
    """What the full height of the acknowledgements stands for, unless another is given."""
    return _usual(counts((one.at for one in record.of(Acknowledged)), scale.begin, scale.end, BUCKET))


def _usual(per_bucket: Sequence[int]) -> float:
    """A height that the usual counts fill well: what was held back comes in one burst, which would flatten all else."""
    return min(max(per_bucket), 2 * median([count for count in per_bucket if count] or [1]))


def errors(record: Record, scale: Scale) -> Lane | None:
    """Sends that failed, per 100 ms; None when none did."""
    failed = [one for one in record.of(SendFailed) if scale.holds(one.at)]
    if not failed:
        return None
    per_bucket = counts((one.at for one in failed), scale.begin, scale.end, BUCKET)
    each = -(-len(per_bucket) // STEPS)
    highest = [max(per_bucket[at : at + each]) for at in range(0, len(per_bucket), each)]
    kinds = ", ".join(sorted({one.error for one in failed})[:5])
    spans = [(scale.begin + at * BUCKET * each, scale.begin + (at + 1) * BUCKET * each) for at in range(len(highest))]
    flags = bars((span for span, count in zip(spans, highest, strict=True) if count), scale, 0, 30, "failed pale")
    return Lane(
        "failed sends",
        drawing(
            30,
            [flags, area(highest, max(highest), 30, "failed")],
            "Failed sends per 100 ms",
            f"{len(failed)} failed: {kinds}.",
        ),
        note="per 100 ms",
        top=str(max(highest)),
    )


def behind(record: Record, scale: Scale) -> Lane | None:
    """Acknowledged records that the reading group did not have yet; None when nothing is known of it."""
    if not record.of(Consumed):
        return None
    changes: list[tuple[float, int]] = [(one.at, 1) for one in record.of(Acknowledged)]
    reached: dict[int, int] = {}
    for got in record.of(Consumed):
        before = reached.get(got.partition, got.first)
        reached[got.partition] = max(before, got.last + 1)
        changes.append((got.at, before - reached[got.partition]))
    levels = _levels(sorted(changes), scale, STEPS // 2)
    return Lane(
        "group behind",
        drawing(30, [area(levels, max(levels), 30, "lag")], "Records the group lacks", f"At most {max(levels):g}."),
        note="records",
        top=f"{max(levels):g}",
    )


def rug(times: Iterable[float], scale: Scale, y: float, height: float) -> Markup:
    """A bar wherever something was acknowledged: what is blank is a gap."""
    width = scale.seconds / RUG
    found = counts(times, scale.begin, scale.end, width)
    spans = ((scale.begin + at * width, scale.begin + (at + 1) * width) for at, count in enumerate(found) if count)
    return bars(spans, scale, y, height, "acked", always=True)


def _levels(changes: Sequence[tuple[float, int]], scale: Scale, columns: int) -> list[float]:
    """The highest level in each column of what goes up and down by the changes, never under 0."""
    levels: list[float] = [0.0] * columns
    level, column = 0, 0
    for at, change in changes:
        if at > scale.end:
            break
        here = int(max(0.0, at - scale.begin) / scale.seconds * columns)
        while column < min(here, columns - 1):
            column += 1
            levels[column] = max(0, level)
        level += change
        if at >= scale.begin:
            levels[column] = max(levels[column], level)
    levels[column + 1 :] = [max(0, level)] * (columns - column - 1)
    return levels
