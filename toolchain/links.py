"""Writes `.tools/bin`: links into the cache and the launchers of the stand-ins, each replaced at once."""

from __future__ import annotations

import os
from pathlib import Path

from toolchain.layout import Layout

LAUNCHER = """#!{python}
# Starts a stand-in of this checkout; written by `make setup`.
import sys

sys.path.insert(0, {root!r})
from toolchain.standins.{standin}.__main__ import main

main()
"""


def link(layout: Layout, name: str, target: Path) -> Path:
    """Makes `.tools/bin/name` a link to `target`."""
    entry = layout.bin / name
    if entry.is_symlink() and os.readlink(entry) == str(target):
        return entry
    partial = _partial(layout, name)
    partial.symlink_to(target)
    os.replace(partial, entry)
    return entry


def launch(layout: Layout, name: str, standin: str) -> Path:
    """Makes `.tools/bin/name` a launcher of `toolchain/standins/<standin>`."""
    entry = layout.bin / name
    text = LAUNCHER.format(python=layout.root / ".venv" / "bin" / "python", root=str(layout.root), standin=standin)
    if entry.is_file() and not entry.is_symlink() and entry.read_text(encoding="utf-8") == text:
        return entry
    partial = _partial(layout, name)
    partial.write_text(text, encoding="utf-8")
    partial.chmod(0o755)
    os.replace(partial, entry)
    return entry


def remove(layout: Layout, name: str) -> None:
    """Removes `.tools/bin/name`, if there."""
    (layout.bin / name).unlink(missing_ok=True)


def _partial(layout: Layout, name: str) -> Path:
    layout.bin.mkdir(parents=True, exist_ok=True)
    partial = layout.bin / f".{name}.{os.getpid()}"
    partial.unlink(missing_ok=True)
    return partial
