from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.toolchain import server
from tests.unit.toolchain.server import Mirror
from toolchain.layout import Layout
from toolchain.progress import Lines


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with server.mirror() as served:
        yield served


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "checkout").mkdir()
    return Layout(tmp_path / "checkout", tmp_path / "cache", tmp_path / "pulumi")


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def report(lines: list[str]) -> Lines:
    return Lines(write=lines.append)


def script(path: Path, says: str) -> Path:
    """An executable that prints `says`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path
