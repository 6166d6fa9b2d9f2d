"""The page of a drill: what the template needs, and its rendering. Pure but for reading the templates."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from drills.checks import overall
from drills.figures import Figures
from drills.history import Record
from drills.model import Finding, Outcome
from drills.report.chart import close_up, overview
from drills.report.states import COLOURS
from drills.report.story import headline, steps
from drills.words import moment, seconds

_TEMPLATES = Path(__file__).parent / "templates"
_ERRORS = 10
_ORDER = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)

LOOKS = {
    Outcome.PASS: ("pass", "✓", "held"),
    Outcome.FAIL: ("fail", "✕", "did not hold"),
    Outcome.UNKNOWN: ("unknown", "?", "can't be told"),
    Outcome.NOT_APPLICABLE: ("none", "–", "not applicable"),  # noqa: RUF001 (a dash)
}
"""Of each outcome: its class, sign and words."""


@dataclass(frozen=True)
class Tile:
    """A figure that is shown large."""

    name: str
    value: str
    note: str
    bad: bool = False


def drill_page(record: Record, figures: Figures, findings: Sequence[Finding]) -> str:
    """The page as HTML."""
    told, more = steps(record)
    return render(
        "report.html.j2",
        about=record.about,
        began=date(record.began),
        outcome=overall(findings),
        headline=headline(figures, findings),
        tiles=tiles(record, figures),
        findings=sorted(findings, key=lambda one: _ORDER.index(one.outcome)),
        figures=figures,
        overview=overview(record, figures) if record.events else None,
        close_up=close_up(record, figures),
        facts=facts(record, figures),
        steps=told,
        more_steps=more,
        errors=list(figures.errors.items())[:_ERRORS],
    )


def render(template: str, **given: object) -> str:
    """A template with the style, the script and what all pages need."""
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template(template)
        .render(style=Markup(style), script=Markup(script), script_hash=digest, looks=LOOKS, colours=COLOURS, **given)
    )


def tiles(record: Record, figures: Figures) -> list[Tile]:
    """The figures that matter most."""
    gap, before = figures.longest_gap, figures.gap_before
    failed = sum(figures.errors.values())
    short = figures.fewest_in_sync is not None and figures.fewest_in_sync < record.about.min_isr
    return [
        Tile(
            "acknowledged records lost",
            "?" if figures.lost is None else f"{figures.lost:,}",
            f"of {figures.acknowledged:,}" if figures.lost is not None else "the final read is not complete",
            bool(figures.lost),
        ),
        Tile(
            "longest gap",
            said(gap.seconds if gap else None),
            f"partition {gap.partition}" + (f"; {seconds(before)} before the fault" if before is not None else "")
            if gap
            else "nothing was acknowledged",
        ),
        Tile(
            "to a new leader",
            said(figures.new_leader),
            "from the fault" if figures.new_leader is not None else "no leader moved",
        ),
        Tile(
            "to a whole ISR",
            said(figures.whole_isr),
            "not reached, or not seen" if figures.whole_isr is None else "from the heal",
        ),
        Tile(
            "fewest in sync",
            said_count(figures.fewest_in_sync),
            f"of {record.about.replication_factor}; {record.about.min_isr} are needed",
            short,
        ),
        Tile("failed sends", f"{failed:,}", ", ".join(list(figures.errors)[:2])[:80] or "no error reached the client"),
    ]


def facts(record: Record, figures: Figures) -> Mapping[str, str]:
    """Of the cluster and the load."""
    about = record.about
    zones = ", ".join(f"{broker} in {about.zones.get(broker, 'no zone')}" for broker in about.brokers[:MANY])
    found = {
        "Kubernetes": f"{about.kubernetes}, context {about.context}, namespace {about.namespace}",
        "Kafka": about.image,
        "Brokers": zones + (f" and {len(about.brokers) - MANY} more" if len(about.brokers) > MANY else ""),
        "Topic": f"{about.topic}: {about.partitions} partitions, replication factor {about.replication_factor}, "
        f"minimum ISR {about.min_isr}",
        "Load": f"{about.rate:,} records a second asked for"
        + (f", {figures.rate:,.0f} acknowledged before the fault" if figures.rate else ""),
        "Began": date(record.began),
        "Took": seconds(figures.seconds),
    }
    return found if about.seed is None else {**found, "Seed": str(about.seed)}


MANY = 30
"""Brokers that are told one by one."""


def said(value: float | None) -> str:
    """A duration, or that there is none."""
    return "–" if value is None else seconds(value)  # noqa: RUF001 (a dash)


def said_count(value: int | None) -> str:
    """A number, or that there is none."""
    return "–" if value is None else f"{value:,}"  # noqa: RUF001 (a dash)


def date(at: float) -> str:
    """In UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(said=said, count=said_count, moment=moment)
    return environment
