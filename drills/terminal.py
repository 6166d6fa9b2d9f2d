"""What a user sees while a drill runs: a live table on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from drills.model import Finding, Outcome
from drills.scenarios.scenario import Scenario
from drills.situation import Situation

_REFRESH = 4  # a second
_PLAIN_SECONDS = 0.2

COLOURS = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.UNKNOWN: "yellow",
    Outcome.NOT_APPLICABLE: "dim",
}


class Terminal:
    """`show` fits `runner.Show`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def show(self, scenario: Scenario, situation: Situation) -> Iterator[None]:
        """Shows the drill until it has ended."""
        self._console.print(f"[bold]{scenario.name}[/bold]: {scenario.statement}")
        if self._console.is_terminal:
            view = _View(situation)
            with Live(view, console=self._console, refresh_per_second=_REFRESH, transient=True):
                yield
            return
        end = threading.Event()
        lines = threading.Thread(target=self._plain, args=(situation, end), daemon=True)
        lines.start()
        try:
            yield
        finally:
            end.set()
            lines.join()

    def _plain(self, situation: Situation, end: threading.Event) -> None:
        """A line for each phase and step."""
        said: set[float] = set()
        last = False
        while not last:
            last = end.wait(_PLAIN_SECONDS)
            found = [(phase.at, f"{phase.name} {phase.detail}".strip()) for phase in [situation.phase] if phase]
            found += [(note.at, f"  {note.text}") for note in list(situation.notes)]
            for at, text in sorted(found):
                if at not in said:
                    said.add(at)
                    when = time.strftime("%T", time.localtime(at))
                    self._console.print(f"{when} {text} · {figures(situation, time.time())}", markup=False)

    def findings(self, findings: tuple[Finding, ...]) -> None:
        """What the checks concluded."""
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for finding in findings:
            colour = COLOURS[finding.outcome]
            table.add_row(Text(finding.outcome.value, style=colour), finding.check, Text(finding.detail, style="dim"))
        self._console.print(table)


class _View:
    """Renders the situation anew each time it is drawn."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation

    def __rich__(self) -> RenderableType:
        now, situation = time.time(), self._situation
        phase = situation.phase
        name = f"{phase.name} {phase.detail} for {now - phase.at:.0f} s".replace("  ", " ") if phase else "preparing"
        notes = [f"{time.strftime('%T', time.localtime(note.at))} {note.text}" for note in list(situation.notes)]
        head = Text.assemble((name, "bold"), f" · {figures(situation, now)}")
        return Group(head, partitions(situation, now), Text("\n".join(notes), style="dim"))


def figures(situation: Situation, now: float) -> str:
    """Rate, errors, quorum and pods, in a line."""
    ready = sum(pod.ready and not pod.terminating for pod in situation.pods.values())
    there = sum(pod.phase != "Gone" for pod in situation.pods.values())
    quorum = situation.quorum.leader if situation.quorum else None
    parts = [
        f"{situation.rate(now):.0f} records/s",
        f"{situation.acknowledged:,} acknowledged",
        f"{situation.errors.total():,} errors",
        f"quorum leader {'none' if quorum is None else quorum}",
        f"{ready} of {there} pods ready",
    ]
    gap = longest_gap(situation, now)
    return " · ".join([*parts, f"longest gap {gap:.2f} s"] if gap else parts)


def longest_gap(situation: Situation, now: float) -> float:
    """Of all partitions since the fault, the one that lasts included."""
    gaps = dict(situation.longest_gaps)
    lasting = [now - at for at in dict(situation.last_acknowledged).values()] if _is_loaded(situation) else []
    return max([*gaps.values(), *lasting], default=0.0)


def partitions(situation: Situation, now: float) -> Table:
    """A row for each partition of the load."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    for column in ("partition", "leader", "in sync", "last acknowledged", "longest gap"):
        table.add_column(column, justify="right")
    for number, state in sorted(situation.partitions.items()):
        whole = set(state.isr) >= set(state.replicas)
        last = situation.last_acknowledged.get(number)
        table.add_row(
            str(number),
            Text("none", style="red") if state.leader is None else str(state.leader),
            Text(", ".join(map(str, state.isr)) or "none", style="" if whole else "yellow"),
            f"{now - last:.1f} s ago" if last else "",
            f"{situation.longest_gaps.get(number, 0.0):.2f} s",
        )
    return table


def _is_loaded(situation: Situation) -> bool:
    return situation.phase is not None and situation.phase.name in ("fault", "heal", "settle")
