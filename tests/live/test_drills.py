"""Failure drills on a real cluster: each must pass, but one on a topic that is configured to lose records. Bounds are
those that hold on a busy machine.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drills import machines, runner, target
from drills.catalog import CATALOG
from drills.drill import Drill, Options
from drills.faults.nodes import lost
from drills.kubernetes import Kubernetes
from drills.load import LoadSettings
from drills.model import Outcome, PartitionState
from drills.runner import Cluster, Settings
from drills.scenarios.scenario import Scenario
from tests.live.cluster import Cluster as KafkaPods
from tests.live.cluster import eventually
from tests.live.process import log, run
from tests.live.stack import CLUSTER
from tests.stack import ROOT, Stack

pytestmark = pytest.mark.usefixtures("healthy")

_BUSY = {"longest-gap": 8.0, "quorum-kept": 10.0}
_LONGEST = 900
_SHORT = ("drain-leader", "kill-controller", "partition")
_ELSEWHERE = ("disk-full", "rolling-upgrade")
_VOLUMES = "/var/lib/rancher/k3s/storage"


def drill(stack: Stack, tmp_path: Path, name: str, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a drill."""
    own = {text.partition("=")[0]: float(text.partition("=")[2] or 0) for text in CATALOG[name].expectations}
    limits = [f"--expect={check}={max(limit, own[check])}" for check, limit in _BUSY.items() if check in own]
    return drills(stack, "run", name, "--hold", "8", *limits, *arguments, "--records", str(tmp_path))


def drills(stack: Stack, *arguments: str) -> tuple[int, str]:
    """Exit code and output of the command line, as a user calls it beside the stack."""
    done = subprocess.run(
        [sys.executable, "-m", "drills", *arguments, "--stack", stack.name],
        cwd=stack.folder,
        env={**os.environ, **stack.environment, "PYTHONPATH": str(ROOT), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    log.info("drills %s: exit code %d\n%s%s", " ".join(arguments), done.returncode, done.stdout, done.stderr)
    return done.returncode, done.stdout + done.stderr


def allow(stack: Stack) -> None:
    stack.change(lambda config: config.update({"drills": {"contexts": [f"k3d-{CLUSTER}"]}}))


def test_a_context_that_is_not_named_is_refused(stack: Stack, tmp_path: Path) -> None:
    stack.change(lambda config: config.pop("drills", None))
    code, out = drill(stack, tmp_path, "drain-leader")
    assert code == 2
    assert f"the context k3d-{CLUSTER} is no drill target" in out
    assert not list(tmp_path.iterdir())


def test_the_status_of_a_healthy_cluster(stack: Stack, cluster: KafkaPods) -> None:
    code, out = drills(stack, "status")
    assert code == 0, out
    assert all(pod in out for pod in cluster.brokers())
    assert "all in sync" in out


@pytest.mark.parametrize(
    "name",
    [*_SHORT, *(pytest.param(name, marks=pytest.mark.long) for name in CATALOG if name not in (*_SHORT, *_ELSEWHERE))],
)
def test_a_drill_passes(stack: Stack, tmp_path: Path, name: str) -> None:
    allow(stack)
    rounds = ("--rounds", "3") if name == "random" else ()
    code, out = drill(stack, tmp_path, name, *rounds)
    assert code == 0, out
    assert f"{name}: pass" in out
    assert len(list(tmp_path.glob("*/report.html"))) == 1


@pytest.fixture
def small_disks(cluster: KafkaPods) -> Iterator[None]:
    """Each broker has a disk of 1 GiB that is no other's, in its node's memory."""
    nodes = [pod.spec.node_name for pod in cluster.brokers().values()]
    for node in nodes:
        run("docker", "exec", node, "mount", "-t", "tmpfs", "-o", "size=1g,mode=777", "small", _VOLUMES)
    replace_disks(cluster)
    yield
    for node in nodes:
        run("docker", "exec", node, "umount", "-l", _VOLUMES)
    replace_disks(cluster)


def replace_disks(cluster: KafkaPods) -> None:
    """One after the other, each in sync before the next."""
    for name, old in cluster.brokers().items():
        cluster.replace_disk(name)
        eventually(f"a new {name}", partial(cluster.replaced, name, old.metadata.uid))


@pytest.mark.long
@pytest.mark.usefixtures("small_disks")
def test_a_full_disk(stack: Stack, tmp_path: Path) -> None:
    allow(stack)
    code, out = drill(stack, tmp_path, "disk-full")
    assert code == 0, out
    assert "disk-full: pass" in out


def lose(drill: Drill) -> None:
    """A leader acknowledges alone, as the minimum ISR lets it; then it is lost, and its follower, which lacks those
    records, is elected all the same.
    """
    leader = drill.leader_on_a_spare_node()
    number = drill.target.sets[0].id_of(leader)

    def led() -> PartitionState:
        return next(one for one in drill.situation.partitions.values() if one.partition == first.partition)

    first = next(one for one in drill.situation.partitions.values() if one.leader == number)
    follower = next(one for one in first.replicas if one != number)
    with lost(drill, drill.node_of(drill.target.pod_of(follower))):
        drill.wait("the leader is in sync alone", lambda: led().isr == (number,), 60)
        drill.hold(3)
        drill.start(lost(drill, drill.node_of(leader)))
    drill.wait("the follower leads", lambda: led().leader == follower, 120)
    drill.hold(3)


def test_a_topic_that_may_lose_records_does_and_it_is_reported(stack: Stack, tmp_path: Path) -> None:
    allow(stack)

    def pulumi(*arguments: str) -> str:
        out = stack.pulumi(*arguments)
        return out[out.index("{") :]

    place = target.from_stack(stack.name, pulumi)
    kubernetes = Kubernetes(place.configuration())
    found = target.find(place, kubernetes.stateful_sets(place.namespace, place.selector))
    cluster = Cluster(kubernetes, found, machines.find(kubernetes.nodes()))
    unsafe: dict[str, Any] = {"min.insync.replicas": "1", "unclean.leader.election.enable": "true"}
    load = LoadSettings(partitions=3, replication_factor=2, topic_config=unsafe, properties=found.client_properties)
    scenario = Scenario("unsafe", "A leader that was in sync alone is lost.", ("no-loss", "isr-whole-again"), lose)
    result = runner.run(cluster, scenario, Settings(Options(), load), tmp_path / "unsafe", lambda *_: nullcontext())
    findings = {one.expectation: one for one in result.findings}
    log.info("%s", findings["no-loss"].detail)
    assert result.outcome is Outcome.FAIL
    assert findings["no-loss"].outcome is Outcome.FAIL
    assert " lost: record " in findings["no-loss"].detail
