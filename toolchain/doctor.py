"""`make doctor`: what is there, where it comes from, what is missing for which environment, and the cure."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from toolchain import chosen, docker, quick
from toolchain.chosen import Chosen
from toolchain.layout import Layout, without
from toolchain.pins import STACKS, TESTS, Pins, Tool
from toolchain.sources import build, path

MISSING = "missing"


@dataclass(frozen=True)
class Row:
    """One line of the table. `origin` is `missing` when nothing usable is there; `blocks`: its stacks need it."""

    name: str
    version: str
    origin: str
    path: str
    stacks: tuple[str, ...]
    cure: str = ""
    blocks: bool = True


def rows(pins: Pins, record: Chosen, found: Mapping[str, path.Found | None], layout: Layout) -> list[Row]:
    """The tools and plugins, from the record of `make setup` and what is on PATH. Pure."""
    absent = set(chosen.missing(record, pins, layout, (*STACKS, TESTS)))
    table = [_tool_row(tool, record, found.get(tool.name), tool.name in absent) for tool in pins.tools.values()]
    for program, plugin in pins.plugins.items():
        choice = record.entries.get(program)
        if choice is None or program in absent:
            table.append(Row(program, plugin.version, MISSING, "", plugin.stacks, _setup(plugin.stacks)))
        else:
            table.append(Row(program, choice.version, choice.origin, choice.path, plugin.stacks))
    return table


def verdicts(table: list[Row]) -> dict[str, list[Row]]:
    """For each stack what blocks it. Pure."""
    return {
        stack: [row for row in table if row.blocks and row.origin == MISSING and stack in row.stacks]
        for stack in STACKS
    }


def docker_row(found: docker.Docker) -> Row:
    """Docker: `client only` counts as missing, since k3d needs the daemon. Pure."""
    version = found.daemon or found.client or ""
    if found.problem is None:
        return Row("docker", version, "PATH", found.path or "", ("dev",))
    name = "docker daemon" if found.path else "docker"
    return Row(name, f"client {version}" if found.path else "", MISSING, found.path or "", ("dev",), found.problem)


def go_row(go: build.Go | None, needed: tuple[int, int]) -> Row:
    """Go: needed only where a tool must be built, so it never blocks. Pure."""
    wanted = f"Go {needed[0]}.{needed[1]} or newer builds what can't be downloaded: https://go.dev/dl"
    if go is None:
        return Row("go", "", MISSING, "", (), wanted, blocks=False)
    version = f"{go.version[0]}.{go.version[1]}"
    return Row("go", version, "PATH", str(go.path), (), "" if go.can(needed) else wanted, blocks=False)


def show(pins: Pins, layout: Layout, environ: Mapping[str, str]) -> int:
    """Prints the table and what is missing. The exit code is 0: a missing tool is an answer, not a failure."""
    search = without(environ.get("PATH", ""), layout.tools, layout.cache)
    with ThreadPoolExecutor() as pool:
        docking = pool.submit(docker.look, environ)
        going = pool.submit(build.find_go, environ)
        found = dict(zip(pins.tools, pool.map(lambda tool: path.find(tool, search), pins.tools.values()), strict=True))
    record = chosen.read(layout)
    table = [Row("python", platform.python_version(), ".venv", str(layout.root / ".venv"), STACKS)]
    table += rows(pins, record, found, layout)
    needed = max(build.needed_go(each) for each in pins.builds.values())
    table += [docker_row(docking.result()), go_row(going.result(), needed)]
    console = Console()
    _print(console, table, layout)
    for stack, blocking in verdicts(table).items():
        cures = list(dict.fromkeys(row.cure for row in blocking))
        names = ", ".join(row.name for row in blocking)
        said = f"missing: {names}. {'; '.join(cures)}" if blocking else "ready"
        console.print(f"[bold]{stack}[/]: {escape(said)}", highlight=False, soft_wrap=True)
    line = quick.standin_line(record)
    if line:
        console.print(escape(line), highlight=False, soft_wrap=True)
    return 0


def _print(console: Console, table: list[Row], layout: Layout) -> None:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("tool", "version", "from", "needed for", "path"):
        shown.add_column(column, no_wrap=True, overflow="ignore")
    home = str(Path.home())
    for row in table:
        where = row.path.replace(str(layout.root), ".", 1) if row.path.startswith(str(layout.root)) else row.path
        where = where.replace(home, "~", 1) if where.startswith(home) else where
        needed = " ".join(row.stacks) or "building"
        shown.add_row(row.name, row.version, row.origin, needed, escape(where))
    if not console.is_terminal:
        console.width = 250
    console.print(shown, soft_wrap=True)


def _tool_row(tool: Tool, record: Chosen, found: path.Found | None, absent: bool) -> Row:
    choice = record.entries.get(tool.name)
    if choice is not None and not absent:
        return Row(tool.name, choice.version, choice.origin, choice.path, tool.stacks)
    if found is not None and found.fits:
        return Row(tool.name, found.version or "", "PATH", str(found.path), tool.stacks)
    unfit = f"{found.version or 'unknown'}, not {tool.accepts}" if found else tool.version
    return Row(tool.name, unfit, MISSING, str(found.path) if found else "", tool.stacks, _setup(tool.stacks))


def _setup(stacks: tuple[str, ...]) -> str:
    return "`make setup`" if "sim" in stacks else f"`make setup STACK={stacks[0]}`"
