"""Two drills side by side: the figures with their change, and the expectations whose verdict flipped. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from drills.checks import overall
from drills.figures import Figures
from drills.gaps import Gap
from drills.history import Record
from drills.model import Finding, Outcome
from drills.report import lanes
from drills.report.chart import Chart, draw
from drills.report.page import date, facts, render, said, said_count
from drills.report.scale import Scale
from drills.words import seconds

NOISE = 0.05
"""A change by less than this share is neither better nor worse."""


@dataclass(frozen=True)
class Side:
    """One of the two."""

    record: Record
    figures: Figures
    findings: Sequence[Finding]

    @property
    def outcome(self) -> Outcome:
        """Of the whole drill."""
        return overall(self.findings)


@dataclass(frozen=True)
class Row:
    """A figure of both, in words."""

    name: str
    a: str
    b: str
    change: str
    verdict: Literal["better", "worse", ""]


@dataclass(frozen=True)
class Expected:
    """An expectation and its outcome in both; None where it was not asked for."""

    check: str
    a: Outcome | None
    b: Outcome | None

    @property
    def flipped(self) -> bool:
        """Whether both asked for it and found otherwise."""
        return self.a is not self.b and None not in (self.a, self.b)


@dataclass(frozen=True)
class Comparison:
    """Of A with B."""

    a: Side
    b: Side
    rows: Sequence[Row]
    expected: Sequence[Expected]


def _length(gap: Gap | None) -> float | None:
    return None if gap is None else gap.seconds


@dataclass(frozen=True)
class _Measure:
    name: str
    value: Callable[[Figures], float | None]
    good: Literal["low", "high", ""]
    unit: Literal["s", "1"] = "s"


_MEASURES = (
    _Measure("acknowledged records lost", lambda one: one.lost, "low", "1"),
    _Measure("longest gap of a partition", lambda one: _length(one.longest_gap), "low"),
    _Measure("longest gap of all partitions", lambda one: _length(one.silence), "low"),
    _Measure("longest gap before the fault", lambda one: one.gap_before, "low"),
    _Measure("to a new leader", lambda one: one.new_leader, "low"),
    _Measure("to a whole ISR", lambda one: one.whole_isr, "low"),
    _Measure("fewest in sync", lambda one: one.fewest_in_sync, "high", "1"),
    _Measure("quorum without a leader", lambda one: one.leaderless, "low"),
    _Measure("failed sends", lambda one: sum(one.errors.values()), "low", "1"),
    _Measure("duplicates", lambda one: one.duplicates, "low", "1"),
    _Measure("acknowledged a second before the fault", lambda one: one.rate and round(one.rate), "high", "1"),
    _Measure("reading group got nothing for", lambda one: one.consumer_stall, "low"),
    _Measure("reading group behind in the end", lambda one: one.consumer_behind, "low", "1"),
    _Measure("evictions granted", lambda one: one.evictions_granted, "", "1"),
    _Measure("evictions refused", lambda one: one.evictions_refused, "", "1"),
)


def compare(a: Side, b: Side) -> Comparison:
    """A is what it was, B what it is now."""
    return Comparison(a, b, [_row(measure, a.figures, b.figures) for measure in _MEASURES], _expected(a, b))


def comparison_page(comparison: Comparison) -> str:
    """The page as HTML."""
    a, b = comparison.a, comparison.b
    return render(
        "compare.html.j2",
        comparison=comparison,
        sides=[
            (name, side, date(side.record.began), chart, facts(side.record, side.figures))
            for name, side, chart in zip("AB", (a, b), _charts(a.record, b.record), strict=True)
        ],
        flipped=[one for one in comparison.expected if one.flipped],
        others=[one for one in comparison.expected if not one.flipped],
    )


def comparison_tables(comparison: Comparison) -> list[Table]:
    """For the terminal: the figures, and the expectations."""
    figures, expected = (Table(box=box.SIMPLE_HEAD, pad_edge=False) for _ in range(2))
    figures.add_column("figure")
    for name in ("A", "B", "change"):
        figures.add_column(name, justify="right")
    styles = {"better": "green", "worse": "red", "": ""}
    for row in comparison.rows:
        figures.add_row(row.name, row.a, row.b, Text(f"{row.change} {row.verdict}".strip(), styles[row.verdict]))
    for name in ("expectation", "A", "B", ""):
        expected.add_column(name)
    for one in comparison.expected:
        flipped = Text("flipped", "bold") if one.flipped else ""
        expected.add_row(Text(one.check), _outcome(one.a), _outcome(one.b), flipped)
    return [figures, expected]


def _row(measure: _Measure, a: Figures, b: Figures) -> Row:
    before, after = measure.value(a), measure.value(b)
    return Row(measure.name, _say(before, measure), _say(after, measure), *_change(before, after, measure))


def _say(value: float | None, measure: _Measure) -> str:
    return said(value) if measure.unit == "s" else said_count(None if value is None else int(value))


def _change(before: float | None, after: float | None, measure: _Measure) -> tuple[str, Literal["better", "worse", ""]]:
    if before is None or after is None:
        return "", ""
    by = after - before
    sign = "−" if by < 0 else "+"  # noqa: RUF001 (a minus as wide as the plus)
    size = seconds(abs(by)) if measure.unit == "s" else f"{abs(by):,.0f}"
    if not by or size == "0 ms":
        return "same", ""
    share = ""
    if before:
        share = f" ({after / before:,.0f} times)" if after > 3 * before else f" ({sign}{abs(by) / before:.0%})"
    if not measure.good or (before and abs(by) / before < NOISE):
        return f"{sign}{size}{share}", ""
    return f"{sign}{size}{share}", "better" if (by < 0) == (measure.good == "low") else "worse"


def _expected(a: Side, b: Side) -> list[Expected]:
    """In A's order, then what only B has. A limit that is another one does not make it another expectation."""
    of_a, of_b = ({_key(one): one for one in side.findings} for side in (a, b))
    found = []
    for key in dict.fromkeys([*of_a, *of_b]):
        one, other = of_a.get(key), of_b.get(key)
        checks = dict.fromkeys(finding.check for finding in (one, other) if finding)
        outcomes = (finding.outcome if finding else None for finding in (one, other))
        found.append(Expected(" / ".join(checks), *outcomes))
    return found


def _key(finding: Finding) -> str:
    return finding.expectation.partition("=")[0] or finding.check


def _outcome(outcome: Outcome | None) -> str:
    return "not asked" if outcome is None else outcome.value


def _charts(*records: Record) -> list[Chart]:
    """The acknowledgements of each over the same axes, laid upon each other at the fault."""
    before = max(record.origin - record.began for record in records)
    after = max(record.load_end - record.origin for record in records)
    scales = [Scale(record.origin - before, record.origin + after, record.origin) for record in records]
    top = max(lanes.top_of(record, scale) for record, scale in zip(records, scales, strict=True))
    charts = []
    for record, scale in zip(records, scales, strict=True):
        drawn = [lanes.acknowledgements(record, scale, top), lanes.errors(record, scale)]
        charts.append(draw(record, scale, [("", [lane for lane in drawn if lane])]))
    return charts
