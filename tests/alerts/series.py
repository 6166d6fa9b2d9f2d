"""Recorded series: how they are kept, and how promtool takes them. A target that no longer answers is marked stale, as
Prometheus does.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import yaml

RECORDED = Path(__file__).parent / "recorded"
INTERVAL = 5  # seconds
STALE = "stale"
Series = dict[str, dict[str, str]]
"""By name and own labels, by the pods that tell the same, the values in promtool's notation."""


def load(scenario: str) -> Series:
    series: Series = yaml.safe_load((RECORDED / f"{scenario}.yaml").read_text())
    return series


def scenarios() -> list[str]:
    return sorted(file.stem for file in RECORDED.glob("*.yaml"))


def promtool_series(series: Series, last: int) -> list[dict[str, str]]:
    """As `input_series`, what each tells last told `last` times more."""
    return [
        {"series": _labelled(name, pod), "values": f"{values} {_held(values, last)}"}
        for name, by_pods in series.items()
        for pods, values in by_pods.items()
        for pod in pods.split()
    ]


def compact(scrapes: Sequence[Mapping[str, str | None]], wanted: Iterable[str]) -> Series:
    """Of what each pod answered, scrape by scrape, the metrics that are wanted."""
    names, values = set(wanted), dict[tuple[str, str], list[str]]()
    for number, scrape in enumerate(scrapes):
        for pod, told in scrape.items():
            for line in (told or "").splitlines():
                series, _, value = line.rpartition(" ")
                if series.partition("{")[0] in names:
                    values.setdefault((series, pod), ["_"] * number).append(f"{float(value):g}")
        for told_so_far in values.values():
            if len(told_so_far) == number:
                told_so_far.append(STALE if told_so_far[-1] not in ("_", STALE) else "_")
    found: Series = {}
    for (series, pod), told_values in sorted(values.items()):
        by_values = found.setdefault(series.replace(",}", "}"), {})
        notation = _notation(told_values)
        pods = next((pods for pods, same in by_values.items() if same == notation), "")
        by_values.pop(pods, None)
        by_values[f"{pods} {pod}".strip()] = notation
    return found


def _notation(values: Sequence[str]) -> str:
    runs = ((value, len(list(run))) for value, run in groupby(values))
    return " ".join(
        value if count == 1 or value == STALE else f"{value}x{count - 1 if value != '_' else count}"
        for value, count in runs
    )


def _held(values: str, count: int) -> str:
    """The last value, so many times; nothing after a series that rises or falls to the end."""
    last = re.fullmatch(r"(_|stale|[\d.]+(?:e[+-]?\d+)?)(?:x\d+)?", values.split()[-1])
    return f"{'_' if last[1] == STALE else last[1]}x{count}" if last else ""


def _labelled(series: str, pod: str) -> str:
    name, _, own = series.partition("{")
    container = "checker" if name.startswith(("kafka_disk", "kafka_in_sync")) else "kafka"
    labels = f'namespace="kafka",pod="{pod}",container="{container}"'
    return f"{name}{{{labels}{',' if own else ''}{own or '}'}"
