"""Writes `.tools`: links into the cache and the launchers of the stand-ins, each replaced at once."""

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
    partial = _partial(entry)
    partial.symlink_to(target)
    os.replace(partial, entry)
    return entry


def settle(layout: Layout, name: str) -> None:
    """Makes the link `.tools/bin/name` a hard link where the file system can, so that the program's place is there.

    Pulumi follows symbolic links to look beside its own file, and warns of a language host that is elsewhere.
    """
    entry = layout.bin / name
    if not entry.is_symlink():
        return
    partial = _partial(entry)
    try:
        os.link(entry.resolve(), partial)
    except OSError:  # another file system, or a file of somebody else
        return
    os.replace(partial, entry)
    partial.unlink(missing_ok=True)  # where another run was first, both are the same file, and replacing does nothing


def launch(layout: Layout, folder: Path, name: str, standin: str) -> Path:
    """Makes `name` in `folder` a launcher of `toolchain/standins/<standin>`."""
    entry = folder / name
    text = LAUNCHER.format(python=layout.root / ".venv" / "bin" / "python", root=str(layout.root), standin=standin)
    if entry.is_file() and not entry.is_symlink() and entry.read_text(encoding="utf-8") == text:
        return entry
    partial = _partial(entry)
    partial.write_text(text, encoding="utf-8")
    partial.chmod(0o755)
    os.replace(partial, entry)
    return entry


def remove(layout: Layout, name: str) -> None:
    """Removes `.tools/bin/name`, if there."""
    (layout.bin / name).unlink(missing_ok=True)


def _partial(entry: Path) -> Path:
    entry.parent.mkdir(parents=True, exist_ok=True)
    partial = entry.with_name(f".{entry.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    return partial
