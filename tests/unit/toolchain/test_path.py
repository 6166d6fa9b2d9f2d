from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.toolchain.conftest import script
from toolchain import layout
from toolchain.pins import Tool
from toolchain.sources import path

TOOL = Tool("tool", "1.34.4", ">=1.33,<1.36", ("version",), ("sim",), "tool", None)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0", "1.32.4"),
        ("Kubernetes v1.34.4", "1.34.4"),
        ("etcd Version: 3.6.4\nGit SHA: Not provided\nGo Version: go1.26.8", "3.6.4"),
        ("kwok version v0.8.0 go1.26.8 (linux/amd64)", "0.8.0"),
        ("k3d version v5.8.3\nk3s version v1.34.4-k3s1 (default)", "5.8.3"),
        ("v3.259.0\n", "3.259.0"),
        ("nothing", None),
    ],
)
def test_reads_what_programs_say(text: str, version: str | None) -> None:
    assert path.read_version(text) == version


@pytest.mark.parametrize(
    ("version", "fits"), [("1.32.4", False), ("1.33.0", True), ("1.35.9", True), ("1.36.0", False)]
)
def test_kubectl_may_be_one_minor_away(tmp_path: Path, version: str, fits: bool) -> None:
    script(tmp_path / "tool", f"Client Version: v{version}")
    assert path.find(TOOL, str(tmp_path)) == path.Found(tmp_path / "tool", version, fits)


def test_a_program_that_tells_no_version_does_not_fit(tmp_path: Path) -> None:
    script(tmp_path / "tool", "hello")
    assert path.find(TOOL, str(tmp_path)) == path.Found(tmp_path / "tool", None, False)
    assert path.find(TOOL, str(tmp_path / "nothing")) is None


def test_a_program_that_cannot_be_asked_is_not_taken(tmp_path: Path) -> None:
    script(tmp_path / "tool", "never run")
    assert path.find(replace(TOOL, ask=()), str(tmp_path)) is None


def test_our_own_folders_do_not_count_as_path(tmp_path: Path) -> None:
    ours = tmp_path / ".tools" / "bin"
    ours.mkdir(parents=True)
    (tmp_path / "linked").symlink_to(ours)
    search = layout.without(f"{ours}:/usr/bin:{tmp_path / 'linked'}:{ours / 'below'}:/bin", ours)
    assert search == "/usr/bin:/bin"
