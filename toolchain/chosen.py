"""What was chosen for this checkout, and whether that still holds. Light to import: it is the fast path."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from toolchain import pins as pinned
from toolchain.layout import VERSIONS, Layout
from toolchain.pins import Pins, Plugin

Origin = Literal["PATH", "official", "built", "stand-in"]
MODES = ("any", "official", "registries")
PLACES = 2  # raised when `make setup` puts its files elsewhere, so that what an older one wrote is put right


@dataclass(frozen=True)
class Choice:
    """Where one tool or plugin comes from. `size` and `mtime_ns` tell whether its file is still the same."""

    version: str
    origin: Origin
    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path, version: str, origin: Origin) -> Choice:
        """The choice of the file at `path`, as it is now."""
        stat = path.stat()
        return cls(version, origin, str(path), stat.st_size, stat.st_mtime_ns)

    def holds(self) -> bool:
        """Whether the file is still there, unchanged."""
        try:
            stat = os.stat(self.path)
        except OSError:
            return False
        return (stat.st_size, stat.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass
class Chosen:
    """The record in `.tools/chosen.json`.

    `inputs` is a digest of all that the choice depends on; `unreachable` has the hosts of official releases that did
    not answer, with the reason, so that they aren't asked again without REFRESH=1.
    """

    inputs: str = ""
    entries: dict[str, Choice] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)

    def standins(self, pins: Pins) -> list[Plugin]:
        """The plugins for which stand-ins are in use."""
        return [
            plugin
            for program, plugin in pins.plugins.items()
            if program in self.entries and self.entries[program].origin == "stand-in"
        ]


def inputs(layout: Layout, mode: str, mirror: str | None) -> str:
    """A digest of what the choice depends on: pins, Go modules, mode, mirror and the checkout's place."""
    digest = hashlib.sha256(repr((PLACES, str(layout.root), str(layout.cache), mode, mirror)).encode())
    digest.update(VERSIONS.read_bytes())
    for file in sorted((VERSIONS.parent / "go").glob("*/*")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def read(layout: Layout) -> Chosen:
    """The record, or an empty one where there is none that can be read."""
    try:
        raw = json.loads(layout.chosen.read_text(encoding="utf-8"))
        entries = {name: Choice(**entry) for name, entry in raw["entries"].items()}
        return Chosen(raw["inputs"], entries, dict(raw["unreachable"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Chosen()


def write(layout: Layout, chosen: Chosen) -> None:
    """Replaces the record at once, never half."""
    layout.chosen.parent.mkdir(parents=True, exist_ok=True)
    partial = layout.chosen.with_name(f".{layout.chosen.name}.{os.getpid()}")
    partial.write_text(json.dumps(asdict(chosen), indent=1) + "\n", encoding="utf-8")
    os.replace(partial, layout.chosen)


def settings(environ: Mapping[str, str]) -> tuple[str, str | None]:
    """The way (KAFKA_HA_TOOLS) and the mirror (KAFKA_HA_MIRROR) that the user asks for."""
    return environ.get("KAFKA_HA_TOOLS") or "any", environ.get("KAFKA_HA_MIRROR") or None


def missing(chosen: Chosen, pins: Pins, layout: Layout, stacks: Iterable[str]) -> list[str]:
    """The names that `stacks` need and that aren't chosen, or no longer what they were."""
    return [name for name in _needed(pins, stacks) if not _serves(chosen, pins, layout, name)]


def fresh(layout: Layout, environ: Mapping[str, str], stacks: Iterable[str]) -> Chosen | None:
    """The record when nothing is to be done for `stacks`, else None."""
    chosen = read(layout)
    if chosen.inputs != inputs(layout, *settings(environ)):
        return None
    return chosen if not missing(chosen, pinned.load(), layout, stacks) else None


def _needed(pins: Pins, stacks: Iterable[str]) -> list[str]:
    names: dict[str, None] = {}
    for stack in stacks:
        names.update(dict.fromkeys(tool.name for tool in pins.tools_of(stack)))
        names.update(dict.fromkeys(plugin.program for plugin in pins.plugins_of(stack)))
    return list(names)


def _serves(chosen: Chosen, pins: Pins, layout: Layout, name: str) -> bool:
    choice = chosen.entries.get(name)
    if choice is None or not choice.holds():
        return False
    return not linked(pins, name, choice) or (layout.bin / name).exists()


def linked(pins: Pins, name: str, choice: Choice) -> bool:
    """Whether the choice has a link in `.tools/bin`: the user's own programs and Pulumi's plugins have none."""
    return choice.origin != "PATH" and name not in pins.plugins
