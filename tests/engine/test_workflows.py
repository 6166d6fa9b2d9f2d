"""The steps of the workflows as GitHub runs them, as far as they go without it: in a checkout of its own, by bash, with
`gh` and the variables that a runner sets.
"""

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack import ROOT
from toolchain.review import LONGEST

GH = """#!/bin/sh
echo "$*" >>"$GH_CALLS"
case "$1 $2" in
"pr comment") cat >"$GH_CALLS.comment" ;;
"issue list") echo 0 ;;
esac
"""
CLUSTER = "engine-workflows"


class Failed(Exception):
    """A step ended with an error; the message is all that it printed."""


class Runner:
    """A checkout with a commit before, in which steps are run."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder, self._outputs = home, home / "kafka-ha", home / "outputs"
        self.folder.mkdir()
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file() and name != "Pulumi.dev.yaml":
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        (self.folder / ".venv").symlink_to(ROOT / ".venv")
        self.settings("sim", lambda config: config["kafka-ha:cluster"].update(name=CLUSTER))
        self.git("init", "--quiet")
        self.commit()
        (home / "bin").mkdir()
        (home / "bin" / "gh").write_text(GH)
        (home / "bin" / "gh").chmod(0o755)

    def settings(self, stack: str, edit: Any) -> None:
        """Edits a stack's file, and leaves the salt of a passphrase out, as in prod's."""
        file = self.folder / f"Pulumi.{stack}.yaml"
        config = yaml.safe_load(file.read_text())["config"]
        edit(config)
        file.write_text(yaml.safe_dump({"config": config}))

    def git(self, *arguments: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "one")

    def run(self, script: str, **variables: str) -> None:
        """Runs a step. Raises Failed."""
        self._outputs.write_text("")
        given = {
            "GH_CALLS": str(self.home / "gh"),
            "GITHUB_OUTPUT": str(self._outputs),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
            "GITHUB_WORKSPACE": str(self.folder),
            "KWOK_WORKDIR": str(self.home / "kwok"),
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.home),
        }
        # What `make env` and `make test` gave this shell belongs to another checkout.
        others = ("PULUMI_", "KAFKA_HA_PASS", "MAKE", "MFLAGS", "ARGS")
        own = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**own, **given, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise Failed(done.stdout)

    @property
    def outputs(self) -> dict[str, str]:
        """Those of the last step."""
        return _outputs(self._outputs.read_text())

    @property
    def calls(self) -> str:
        """What `gh` was asked."""
        return (self.home / "gh").read_text()


def _outputs(text: str) -> dict[str, str]:
    """`name=value`, or `name<<END`, lines and END."""
    several = re.findall(r"^(\w+)<<(.+)\n((?:.*\n)*?)\2\n", text, re.MULTILINE)
    single = re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)
    return dict(single) | {name: value for name, _, value in several}


def scripts(workflow: str, job: str, *beginnings: str) -> list[str]:
    """What a job's steps run, of those that begin so."""
    steps = yaml.safe_load((ROOT / f".github/workflows/{workflow}.yml").read_text())["jobs"][job]["steps"]
    return [step["run"] for step in steps if step.get("run", "").startswith(beginnings)]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    return Runner(tmp_path_factory.mktemp("workflows"))


def test_a_pull_request_is_reviewed(runner: Runner) -> None:
    """One that changes an environment, leaves one as it is, and brings one that is unsafe."""
    runner.settings("prod", lambda config: config["kafka-ha:kafka"]["storage"].update(size="200Gi"))
    shutil.copy(runner.folder / "Pulumi.sim.yaml", runner.folder / "Pulumi.lab.yaml")
    runner.settings("lab", lambda config: config.update({"kafka-ha:kafka": {"minInsyncReplicas": 1}}))
    runner.commit()
    (review,) = scripts("checks", "review", "code=0")
    with pytest.raises(Failed, match=r"make: .* Error 1"):
        runner.run(review)
    text = runner.outputs["text"]
    assert len(text) < LONGEST
    sections = dict(part.split("` ", 1) for part in text.split("### `")[1:])
    assert list(sections) == ["lab", "prod", "sim"]

    assert sections["lab"].startswith("**fails**")
    assert "- **error**: the settings can't be deployed: kafka-ha:kafka.minInsyncReplicas: got 1" in sections["lab"]

    assert sections["prod"].startswith("passes")
    assert re.search(r"^-\s+storage: 100Gi\n\+\s+storage: 200Gi$", sections["prod"], re.MULTILINE)
    assert "not judged: the cluster (eks), its nodes and storage" in sections["prod"]
    assert "the zones could not be checked, the cluster does not answer" in sections["prod"]

    assert sections["sim"].startswith("passes")
    assert "no difference" in sections["sim"]
    assert "(combined-mode: " in sections["sim"]

    (comment,) = scripts("checks", "comment", "printenv")
    runner.run(comment, TEXT=text, NUMBER="7")
    assert "pr comment 7 --body-file - --edit-last --create-if-none" in runner.calls
    assert (runner.home / "gh.comment").read_text().strip() == text.strip()


def test_findings_go_to_code_scanning(runner: Runner) -> None:
    """After the review, whose manifests they are about."""
    (find,) = scripts("checks", "review", "python=")
    runner.run(find)
    sarif = runner.outputs["sarif"]
    (run,) = json.loads(gzip.decompress(base64.b64decode(sarif)))["runs"]
    found = {
        (one["ruleId"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for one in run["results"]
    }
    assert ("combined-mode", "Pulumi.sim.yaml") in found
    assert ("combined-mode", "Pulumi.prod.yaml") not in found
    assert all((runner.folder / uri).exists() for _, uri in found)
    (upload,) = scripts("checks", "code-scanning", "gh api")
    runner.run(upload, FINDINGS=sarif, GH_REPO="a/b", GITHUB_SHA="c", GITHUB_REF="d")
    assert "repos/a/b/code-scanning/sarifs --silent -f commit_sha=c -f ref=d" in runner.calls
    assert f"-f sarif={sarif}" in runner.calls


def test_what_is_merged_is_deployed_and_drift_is_found(runner: Runner) -> None:
    (up,), (drift,) = scripts("deploy", "prod", "make up"), scripts("drift", "prod", "make drift")
    (issue,) = scripts("drift", "issue", "open=")
    state = {"STACK": "sim", "PULUMI_BACKEND_URL": f"file://{runner.home}", "PULUMI_CONFIG_PASSPHRASE": "workflows"}
    try:
        runner.run(up, **state)
        runner.run("git checkout Pulumi.sim.yaml")  # another runner, with what is committed
        runner.run(up, **state)
        runner.run(drift, **state)
        runner.run("pulumi stack output kubeconfig --show-secrets -s sim >../kubeconfig", **state)
        scale = "kubectl --kubeconfig ../kubeconfig --namespace kafka scale statefulset kafka --replicas"
        runner.run(f"{scale} 2")
        with pytest.raises(Failed, match="~ replicas: 2 => 3"):
            runner.run(drift, **state)
        runner.run(issue, TITLE="prod is not what was deployed", URL="https://example.com/1")
        assert "issue create --title prod is not what was deployed" in runner.calls
        runner.run(f"{scale} 3")
        runner.run(drift, **state)
    finally:
        runner.run("make destroy", **state)
