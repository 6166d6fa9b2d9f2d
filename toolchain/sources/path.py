"""The first way: a fitting program that is already on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from toolchain.pins import Tool

ASK_SECONDS = 20


@dataclass(frozen=True)
class Found:
    """A program on PATH. `version` is None when it doesn't say; `fits` tells whether the pins accept it."""

    path: Path
    version: str | None
    fits: bool


def find(tool: Tool, search: str) -> Found | None:
    """Looks for `tool` in the folders of `search` (a PATH) and asks the first one found for its version. None for a
    program that can't be asked.
    """
    where = which(tool.name, search) if tool.ask else None
    if where is None:
        return None
    version = ask_version(where, tool.ask)
    return Found(where, version, fits=version is not None and accepts(tool.accepts, version))


def which(name: str, search: str) -> Path | None:
    """The first program of that name in the folders of `search`, absolute."""
    where = shutil.which(name, path=search)
    return Path(where).absolute() if where else None


def ask_version(program: Path, ask: tuple[str, ...], environ: Mapping[str, str] | None = None) -> str | None:
    """Runs `program` with the arguments that make it print its version; None when it can't be told."""
    env = {**(os.environ if environ is None else environ), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [str(program), *ask],
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
            stdin=subprocess.DEVNULL,
            env=env,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_version(done.stdout + "\n" + done.stderr)


def read_version(text: str) -> str | None:
    """The first version in what a program printed: `Kubernetes v1.34.4` → `1.34.4`."""
    match = re.search(r"(?<![\w.])v?(\d+\.\d+\.\d+)", text)
    return match.group(1) if match else None


def accepts(specifier: str, version: str) -> bool:
    """Whether `version` lies in the range `specifier` (PEP 440, pre-releases included)."""
    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
