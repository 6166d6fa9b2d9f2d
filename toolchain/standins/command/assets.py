"""Files that a command left behind, as Pulumi assets: path globs, hashes, archives."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolchain.standins.properties import ARCHIVE, ASSET, SIGNATURE


class GlobError(Exception):
    """A path glob that cannot be read; the text is for the user."""


def glob_pattern(glob: str) -> re.Pattern[str]:
    """Compile a path glob: `*` and `?` stop at `/`, `**` does not; `[a-z]`, `[!a]`, `{a,b}`, `\\` escapes."""
    parts: list[str] = []
    depth, i = 0, 0
    while i < len(glob):
        char = glob[i]
        if glob.startswith("**", i):
            parts.append(".*")
            i += 1
        elif char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "\\" and i + 1 < len(glob):
            i += 1
            parts.append(re.escape(glob[i]))
        elif char == "[":
            end = glob.find("]", i + 2)
            if end < 0:
                raise GlobError(f"the path glob {glob!r} has a [ without a ]")
            inner = glob[i + 1 : end].replace("\\", "\\\\")
            parts.append("[" + ("^" + inner[1:] if inner[0] in "!^" else inner) + "]")
            i = end
        elif char == "{":
            depth += 1
            parts.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            parts.append(")")
        elif char == "," and depth:
            parts.append("|")
        else:
            parts.append(re.escape(char))
        i += 1
    if depth:
        raise GlobError(f"the path glob {glob!r} has a {{ without a }}")
    return re.compile("".join(parts), re.DOTALL)


def matching_files(directory: str | None, globs: Sequence[str]) -> dict[str, str]:
    """Return the files under `directory` that the globs choose: relative path → path as Pulumi is to open it.

    The globs apply in order; one that starts with `!` takes out what those before it chose.
    """
    rules = [(glob.startswith("!"), glob_pattern(glob.removeprefix("!"))) for glob in globs]
    root = directory if directory is not None else os.getcwd()
    found: dict[str, str] = {}
    for folder, _, names in os.walk(root):
        for name in names:
            relative = posixpath.relpath(posixpath.join(folder, name), root)
            chosen = False
            for exclude, pattern in rules:
                if pattern.fullmatch(relative):
                    chosen = not exclude
            if chosen:
                found[relative] = posixpath.normpath(posixpath.join(root, relative))
    return dict(sorted(found.items()))


def asset(path: str) -> dict[str, Any]:
    """Return the file at `path` as a Pulumi asset."""
    return {SIGNATURE: ASSET, "path": path, "hash": hashlib.sha256(Path(path).read_bytes()).hexdigest()}


def assets(directory: str | None, globs: Sequence[str]) -> dict[str, Any]:
    """Return the files that the globs choose as assets by relative path."""
    return {name: asset(path) for name, path in matching_files(directory, globs).items()}


def archive(directory: str | None, globs: Sequence[str]) -> dict[str, Any]:
    """Return the files that the globs choose as one archive."""
    files = matching_files(directory, globs)
    return {
        SIGNATURE: ARCHIVE,
        "assets": {name: asset(path) for name, path in files.items()},
        "hash": _archive_hash(files),
    }


def _archive_hash(files: dict[str, str]) -> str:
    """Return the hash that identifies an archive: that of a tar of its files without times and owners."""
    digest = hashlib.sha256()
    for name, path in files.items():
        data = Path(path).read_bytes()
        entry = tarfile.TarInfo(name)
        entry.mode, entry.size = 0o600, len(data)
        digest.update(_header(entry))
        digest.update(data + bytes(-len(data) % tarfile.BLOCKSIZE))
    digest.update(bytes(2 * tarfile.BLOCKSIZE))
    return digest.hexdigest()


def _header(entry: tarfile.TarInfo) -> bytes:
    """Return a file's tar header with the device fields zero instead of empty, as Go writes them."""
    header = bytearray(entry.tobuf(tarfile.USTAR_FORMAT))
    header[329:345] = b"0000000\0" * 2
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header)
