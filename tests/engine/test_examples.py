"""Each of examples/ by the real engine on a simulated cluster, as its README says."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.engine.conftest import Api
from tests.stack import ROOT, PulumiFailed, Stack
from toolchain.review import UNREACHABLE

EXAMPLES = ROOT / "examples"


def example(name: str, home: Path, stack: str = "test") -> Stack:
    """A stack of one example, copied to a folder of its own; all in a home share a backend, so that one finds another's
    stack.
    """
    folder = home / name
    shutil.copytree(EXAMPLES / name, folder)
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    if project["runtime"] == "yaml":
        project["packages"]["kafka-ha"] = str(ROOT / "plugin")
    else:
        project["runtime"]["options"]["virtualenv"] = sys.prefix
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    environment = {
        "PULUMI_BACKEND_URL": f"file://{home}/state",
        "PULUMI_CONFIG_PASSPHRASE": "examples",
        "KWOK_WORKDIR": f"{home}/kwok",
        "PYTHONPATH": str(ROOT),
    }
    found = Stack(folder, stack, environment)
    found.pulumi("stack", "init", stack)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "state").mkdir()
    return folder


@pytest.fixture(scope="module")
def minimal(home: Path) -> Iterator[Stack]:
    """Deployed."""
    stack = example("minimal", home)
    try:
        stack.up()
        yield stack
    finally:
        stack.destroy()


def test_all_examples_are_run_here() -> None:
    named = {path.parent.name for path in EXAMPLES.glob("*/Pulumi.yaml")}
    text = "".join((Path(__file__).with_name(f"test_{name}.py")).read_text() for name in ("examples", "yaml"))
    assert all(f'"{name}"' in text for name in named)
    assert all(f"[{name}]({name})" in (EXAMPLES / "README.md").read_text() for name in named)


def test_minimal_runs_and_stays(minimal: Stack) -> None:
    assert minimal.outputs()["bootstrap"].count(":9092") == 3
    assert len(Api(minimal.outputs()["kubeconfig"]).pods()) == 3
    minimal.up("--expect-no-changes")
    lines = [line for line in (minimal.folder / "__main__.py").read_text().splitlines() if line]
    assert len(lines) <= 20


def test_a_kind_of_ones_own_finds_the_cluster_of_another_stack(minimal: Stack, home: Path) -> None:
    own = example("cluster-kind", home)
    own.pulumi("config", "set", "stack", "organization/minimal/test")
    own.up()
    assert own.outputs()["bootstrap"].startswith("kafka-0.events.svc")
    api = Api(minimal.outputs()["kubeconfig"])
    assert len(api.pods("events")) == len(api.pods("kafka")) == 3
    own.destroy()


def test_two_clusters_share_one(home: Path) -> None:
    out = example("two-clusters", home).pulumi("preview", "--policy-pack", str(ROOT / "policies"))
    for name in ("shop-brokers", "audit-brokers", "shop-orders", "audit-events"):
        assert name in out
    assert "mandatory" not in out


@pytest.mark.parametrize(("stack", "controllers"), [("staging", 0), ("production", 5)])
def test_each_environment_has_its_own_settings(home: Path, stack: str, controllers: int) -> None:
    (home / stack / "state").mkdir(parents=True)
    own = example("multi-environment", home / stack, stack)
    out = own.pulumi("preview")
    assert (
        out.count("kafka-controller-")
        - out.count("kafka-controller-service")
        - out.count("kafka-controller-config")
        - out.count("kafka-controller-disruption-budget")
        == controllers
    )
    own.pulumi("config", "set", "--path", "kafka-ha:kafka.minInsyncReplicas", "1")
    with pytest.raises(PulumiFailed, match=r"kafka-ha:kafka\.minInsyncReplicas: got 1"):
        own.pulumi("preview")


def test_strimzis_resources_are_judged(home: Path, tmp_path: Path) -> None:
    own = example("strimzi-policies", home)
    (tmp_path / "kubeconfig").write_text(UNREACHABLE)
    own.pulumi("config", "set", "kubernetes:kubeconfig", str(tmp_path / "kubeconfig"))
    pack = ("preview", "--policy-pack", str(ROOT / "policies"))
    assert "[mandatory]" not in own.pulumi(*pack)
    own.pulumi("config", "set", "minInsyncReplicas", "1")
    with pytest.raises(PulumiFailed) as refused:
        own.pulumi(*pack)
    assert "min-isr" in str(refused.value)
    assert "got 1" in str(refused.value)
