"""The command line: `python -m tests.bench` (as `make bench` calls it)."""

import datetime
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.bench.checkpoint import difference
from tests.bench.figures import PACK_BOUND, RATIO_BOUND, Pairs, turns
from tests.bench.machine import load, machine, versions
from tests.bench.planning import BROKERS, growth, import_seconds
from tests.bench.policies import rules
from tests.bench.programs import Program, PulumiFailed, both, empty_pack
from tests.bench.report import HEADER, PACK_HEADER, Results, markdown, rows
from tests.kwok import PROGRAMS
from tests.stack import ROOT

_PAGE = ROOT / "docs/benchmarks.md"
_LEAST = 3  # rounds; a median of fewer says nothing
_QUICK_LEAST = 2
_MINUTES = 10.0

console = Console(stderr=True)


def bench(
    minutes: Annotated[
        float, typer.Option(help="How long to measure both programs, at least three rounds of all.")
    ] = _MINUTES,
    quick: Annotated[bool, typer.Option("--quick", help="Two rounds of all; writes no page.")] = False,
) -> None:
    """Measure the program beside a straight-line one, and planning; exit code 1 when a bound is missed."""
    if missing := [program for program in ("pulumi", "kubectl", *PROGRAMS) if not shutil.which(program)]:
        console.print(f"{', '.join(missing)} not on PATH. Run make bench, which gets them.")
        raise typer.Exit(2)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that clusters go, as on Ctrl-C
    before = load()
    seconds, least = (0.0, _QUICK_LEAST) if quick else (minutes * 60, _LEAST)
    try:
        *pairs, pack = _pairs(seconds, least)
        planning = growth(repeats=5 if quick else 20)
        judging = rules(repeats=2 if quick else 5)
    except PulumiFailed as error:
        console.print(str(error), markup=False)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        console.print("Interrupted; nothing is left behind and no page written.")
        raise typer.Exit(130) from None
    command = "make bench" if minutes == _MINUTES else f"make bench ARGS='--minutes {minutes:g}'"
    where = f"{machine()}; load {before} before the run, {load()} after it"
    today = datetime.date.today().isoformat()
    results = Results(today, where, versions(), command, pairs, planning, BROKERS, pack, judging)
    _show(results)
    if not quick:
        _write(results)
    raise typer.Exit(1 if results.missed else 0)


def _pairs(seconds: float, least: int) -> Iterator[Pairs]:
    """Every comparison, in the order of a stack's life; `seconds` are shared out among them."""
    yield _measured(
        "imports of the program",
        {name: partial(import_seconds, name) for name in turns(0)},
        seconds * 0.05,
        least,
        None,
    )
    with both() as programs:
        packs = _packs(programs["components"], seconds * 0.1, least)
        yield _of("preview, nothing there", programs, Program.preview, seconds * 0.15, least)
        yield _of("up with the cluster's creation", programs, Program.up, seconds * 0.3, least, before=Program.down)
        if said := difference(*(programs[name].checkpoint() for name in turns(0))):
            raise PulumiFailed(f"The programs don't deploy the same: {said}. Bring tests/bench/straight up to date.")
        yield _of("preview, no change", programs, Program.preview, seconds * 0.15, least)
        yield _of(
            "up on a ready cluster", programs, Program.up, seconds * 0.25, least, before=Program.empty_the_cluster
        )
    yield packs


def _packs(program: Program, seconds: float, least: int) -> Pairs:
    """This project's policy pack in place of the components, an empty one in place of the straight-line program."""
    empty = empty_pack(program.stack.folder / "empty-pack")
    actions = {
        "components": partial(program.preview_with, ROOT / "policies"),
        "straight": partial(program.preview_with, empty),
    }
    pairs = _measured("preview with a policy pack", actions, seconds, least, PACK_BOUND)
    return replace(pairs, other="one with an empty pack")


def _of(
    name: str,
    programs: Mapping[str, Program],
    measure: Callable[[Program], float],
    seconds: float,
    least: int,
    before: Callable[[Program], None] = lambda program: None,
) -> Pairs:
    def prepared(program: Program) -> float:
        before(program)
        return measure(program)

    actions = {key: partial(prepared, program) for key, program in programs.items()}
    return _measured(name, actions, seconds, least, RATIO_BOUND)


def _measured(
    name: str, actions: Mapping[str, Callable[[], float]], seconds: float, least: int, bound: float | None
) -> Pairs:
    """Rounds until `seconds` are over, at least `least`."""
    measured: dict[str, list[float]] = {key: [] for key in actions}
    end = time.monotonic() + seconds
    number = 0
    while number < least or time.monotonic() < end:
        for key in turns(number):
            measured[key].append(actions[key]())
        number += 1
        console.print(f"{name}, round {number}: " + ", ".join(f"{key} {measured[key][-1]:.2f} s" for key in turns(0)))
    return Pairs(name, tuple(measured["components"]), tuple(measured["straight"]), bound)


def _show(results: Results) -> None:
    for header, pairs in ((HEADER, results.pairs), (PACK_HEADER, [results.pack])):
        table = Table(*header)
        for row in rows(pairs):
            table.add_row(*row)
        console.print(table)
    judging = results.rules
    console.print(
        f"{judging.most} resources through the rules: {judging.growth.seconds[judging.most]:.2f} s, growing with the "
        f"power {judging.growth.exponent:.2f}, {judging.memory:.0f} MiB"
    )
    planning = results.growth
    console.print(
        f"planning 100 clusters of {BROKERS} brokers: {planning.seconds[100]:.3f} s, growing with the power "
        f"{planning.exponent:.2f}"
    )
    for sentence in results.missed:
        console.print(f"[red]missed:[/red] {sentence}")


def _write(results: Results, page: Path = _PAGE) -> None:
    page.parent.mkdir(exist_ok=True)
    page.write_text(markdown(results))
    console.print(f"written: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    typer.run(bench)
