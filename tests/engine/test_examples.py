"""Each of examples/ by the real engine on a simulated cluster, as its README says."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.engine.conftest import Api
from tests.stack import ROOT, UNREACHABLE

EXAMPLES = ROOT / "examples"
PASSPHRASE = "examples"


class Example:
    """One example, copied to a folder of its own; all share a backend, so that one finds another's stack."""

    def __init__(self, name: str, home: Path) -> None:
        self.folder, self._home = home / name, home
        shutil.copytree(EXAMPLES / name, self.folder)
        project = yaml.safe_load((self.folder / "Pulumi.yaml").read_text())
        project["runtime"]["options"]["virtualenv"] = sys.prefix
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """What a pulumi command prints."""
        environment = {
            "PULUMI_BACKEND_URL": f"file://{self._home}/state",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "KWOK_WORKDIR": f"{self._home}/kwok",
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def outputs(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "state").mkdir()
    return folder


@pytest.fixture(scope="module")
def minimal(home: Path) -> Iterator[Example]:
    """Deployed."""
    example = Example("minimal", home)
    example.pulumi("stack", "init", "test")
    try:
        example.pulumi("up", "--yes", "--skip-preview")
        yield example
    finally:
        example.pulumi("destroy", "--yes", "--skip-preview")


def test_all_examples_are_run_here() -> None:
    named = {path.parent.name for path in EXAMPLES.glob("*/Pulumi.yaml")}
    text = Path(__file__).read_text()
    assert all(f'"{name}"' in text for name in named)
    assert all(f"[{name}]({name})" in (EXAMPLES / "README.md").read_text() for name in named)


def test_minimal_runs_and_stays(minimal: Example) -> None:
    assert minimal.outputs()["bootstrap"].count(":9092") == 3
    assert len(Api(minimal.outputs()["kubeconfig"]).pods()) == 3
    minimal.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    lines = [line for line in (minimal.folder / "__main__.py").read_text().splitlines() if line]
    assert len(lines) <= 20


def test_a_kind_of_ones_own_finds_the_cluster_of_another_stack(minimal: Example, home: Path) -> None:
    own = Example("cluster-kind", home)
    own.pulumi("stack", "init", "test")
    own.pulumi("config", "set", "stack", "organization/minimal/test")
    own.pulumi("up", "--yes", "--skip-preview")
    assert own.outputs()["bootstrap"].startswith("kafka-0.events.svc")
    api = Api(minimal.outputs()["kubeconfig"])
    assert len(api.pods("events")) == len(api.pods("kafka")) == 3
    own.pulumi("destroy", "--yes", "--skip-preview")


def test_two_clusters_share_one(home: Path) -> None:
    example = Example("two-clusters", home)
    example.pulumi("stack", "init", "test")
    out = example.pulumi("preview", "--policy-pack", str(ROOT / "policies"))
    for name in ("shop-brokers", "audit-brokers", "shop-orders", "audit-events"):
        assert name in out
    assert "mandatory" not in out


@pytest.mark.parametrize(("stack", "controllers"), [("staging", 0), ("production", 5)])
def test_each_environment_has_its_own_settings(home: Path, stack: str, controllers: int) -> None:
    example = Example("multi-environment", home / stack)
    (home / stack / "state").mkdir()
    example.pulumi("stack", "init", stack)
    out = example.pulumi("preview")
    assert (
        out.count("kafka-controller-")
        - out.count("kafka-controller-service")
        - out.count("kafka-controller-config")
        - out.count("kafka-controller-disruption-budget")
        == controllers
    )
    example.pulumi("config", "set", "--path", "kafka-ha:kafka.minInsyncReplicas", "1")
    assert "kafka-ha:kafka.minInsyncReplicas: got 1" in example.pulumi("preview", fails=True)


def test_strimzis_resources_are_judged(home: Path, tmp_path: Path) -> None:
    example = Example("strimzi-policies", home)
    (tmp_path / "kubeconfig").write_text(UNREACHABLE)
    example.pulumi("stack", "init", "test")
    example.pulumi("config", "set", "kubernetes:kubeconfig", str(tmp_path / "kubeconfig"))
    pack = ("preview", "--policy-pack", str(ROOT / "policies"))
    assert "[mandatory]" not in example.pulumi(*pack)
    example.pulumi("config", "set", "minInsyncReplicas", "1")
    refused = example.pulumi(*pack, fails=True)
    assert "min-isr" in refused
    assert "got 1" in refused
