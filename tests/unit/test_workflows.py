"""The workflows: nothing that moves, no more rights than needed, nothing to inject, and every command is there. What
their steps do is tried in tests/engine/test_workflows.py.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack import ROOT

PATHS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SETUP = ROOT / ".github/actions/setup/action.yml"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
RIGHTS = {
    "comment": {"pull-requests": "write"},
    "code-scanning": {"security-events": "write"},
    "issue": {"issues": "write"},
    "prod": {"contents": "read", "id-token": "write"},
}


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}, "each job names its own"
    yield from workflow["jobs"].items()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
class TestWorkflow:
    def test_each_job_has_its_rights_and_an_end(self, path: Path) -> None:
        for name, job in jobs(path):
            assert job["permissions"] == RIGHTS.get(name, {"contents": "read"}), name
            assert job["timeout-minutes"] <= 120, name

    def test_what_writes_to_the_repository_runs_nothing_of_it(self, path: Path) -> None:
        for name, job in jobs(path):
            if "contents" not in job["permissions"]:
                assert not [step for step in job["steps"] if "uses" in step], name

    def test_only_a_pull_requests_own_run_is_cut_off(self, path: Path) -> None:
        """`True` is how YAML 1.1 reads the key `on`."""
        workflow = yaml.safe_load(path.read_text())
        allowed = (False, "${{ github.event_name == 'pull_request' }}")
        assert workflow["concurrency"]["cancel-in-progress"] in allowed[: 1 + ("pull_request" in workflow[True])]

    def test_a_pull_request_sees_no_secret(self, path: Path) -> None:
        text = path.read_text()
        assert "pull_request_target" not in text
        assert not ("pull_request:" in text and ("secrets." in text or "id-token" in text))

    def test_actions_are_pinned_by_commit(self, path: Path) -> None:
        for action in re.findall(r"uses: (.*)", path.read_text() + SETUP.read_text()):
            if action != "./.github/actions/setup":
                assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[0-9.]+", action), action

    def test_scripts_hold_no_expression(self, path: Path) -> None:
        """What a pull request is called must not become part of a script."""
        for _, job in jobs(path):
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")

    def test_commands_are_there(self, path: Path) -> None:
        for _, job in jobs(path):
            for script in (step["run"] for step in job["steps"] if "run" in step):
                for target in re.findall(r"\bmake (?:--\S+ )*([a-z-]+)", script):
                    assert target in TARGETS, target
