"""What the tests through the real engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain.standins.tests.engine import Project, find_pulumi, write_launchers


@pytest.fixture(scope="session")
def launchers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_launchers(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def project(tmp_path: Path, launchers: Path) -> Iterator[Project]:
    """An empty project; what the test leaves deployed is destroyed."""
    pulumi = find_pulumi()
    if pulumi is None:
        pytest.skip("no pulumi on PATH or in .tools/bin: run `make setup`")
    made = Project.new(tmp_path, launchers, pulumi)
    yield made
    made.run("destroy", "--yes", "--skip-preview")
