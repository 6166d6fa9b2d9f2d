"""Finds a file's checksum in what a project publishes beside its releases. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

ALGORITHMS = {64: "sha256", 128: "sha512"}
_HEX = re.compile(r"[0-9a-fA-F]+")


@dataclass(frozen=True)
class Checksum:
    """A published checksum: `algorithm` is `sha256` or `sha512`, `value` its lower-case hexadecimal digits."""

    algorithm: str
    value: str

    def matches(self, path: Path) -> bool:
        """Whether the file at `path` has this checksum."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, self.algorithm).hexdigest() == self.value


def find(text: str, filename: str) -> Checksum | None:
    """The checksum of `filename` in `text`, or None.

    Knows the lists that `sha256sum` writes, a file that holds one bare checksum, and GitHub's description of a
    release (JSON, whose assets have a digest).
    """
    if text.lstrip().startswith("{"):
        return _in_github_release(text, filename)
    lines = [line.split() for line in text.splitlines() if line.strip()]
    for words in lines:
        if len(words) == 2 and words[1].lstrip("*").rsplit("/", 1)[-1] == filename:
            return _checksum(words[0])
    if len(lines) == 1 and len(lines[0]) == 1:
        return _checksum(lines[0][0])
    return None


def _in_github_release(text: str, filename: str) -> Checksum | None:
    try:
        assets = json.loads(text).get("assets", [])
    except ValueError:
        return None
    for asset in assets:
        if asset.get("name") == filename:
            return _checksum(str(asset.get("digest") or "").rsplit(":", 1)[-1])
    return None


def _checksum(value: str) -> Checksum | None:
    algorithm = ALGORITHMS.get(len(value))
    if algorithm is None or not _HEX.fullmatch(value):
        return None
    return Checksum(algorithm, value.lower())
