"""The workflows: nothing that moves, no more rights than needed, nothing to inject, and every command is there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.stack import ROOT

PATHS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SETUP = ROOT / ".github/actions/setup/action.yml"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def jobs(workflow: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    assert workflow["permissions"] == {}, "each job names its own"
    yield from workflow["jobs"].items()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
class TestWorkflow:
    def test_each_job_has_its_rights_and_an_end(self, path: Any) -> None:
        for name, job in jobs(yaml.safe_load(path.read_text())):
            assert job["permissions"]["contents"] == "read", name
            assert job["timeout-minutes"] <= 120, name

    def test_actions_are_pinned_by_commit(self, path: Any) -> None:
        used = re.findall(r"uses: (.*)", path.read_text() + SETUP.read_text())
        assert used
        for action in used:
            if action == "./.github/actions/setup":
                continue
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[0-9.]+", action), action

    def test_scripts_hold_no_expression(self, path: Any) -> None:
        """What a pull request is called must not become part of a script."""
        for _, job in jobs(yaml.safe_load(path.read_text())):
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")

    def test_commands_are_there(self, path: Any) -> None:
        for _, job in jobs(yaml.safe_load(path.read_text())):
            for command in (step["run"] for step in job["steps"] if "run" in step):
                if command.startswith("make "):
                    assert command.split()[1] in TARGETS, command
                elif command.startswith((".github/", "tests/")):
                    assert (ROOT / command.split()[0]).stat().st_mode & 0o100, command
