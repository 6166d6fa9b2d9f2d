"""An installed folder is there whole or not at all, and made once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from toolchain import atomic
from toolchain.progress import Lines


def test_a_failed_install_leaves_nothing(tmp_path: Path, report: Lines) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        atomic.install(tmp_path / "tools" / "1.0", tmp_path / "locks", "tool", report, fail)
    assert not list((tmp_path / "tools").iterdir())


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path, report: Lines) -> None:
    left = tmp_path / "tools" / ".1.0.partial-4711"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    atomic.install(tmp_path / "tools" / "1.0", tmp_path / "locks", "tool", report, lambda folder: None)
    assert [entry.name for entry in (tmp_path / "tools").iterdir()] == ["1.0"]


def test_two_runs_at_once_make_it_once(tmp_path: Path, report: Lines, lines: list[str]) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.3)
        (folder / "whole").write_text("whole")

    def run() -> None:
        atomic.install(tmp_path / "tools" / "1.0", tmp_path / "locks", "tool", report, make)
        assert (tmp_path / "tools" / "1.0" / "whole").exists()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert "tool: another run is getting it: waiting for it to end" in lines
