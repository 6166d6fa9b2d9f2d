"""Clusters that are not there, not reachable, not zoned, or somebody else's: told in a sentence."""

import importlib.util
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from tests.engine.conftest import Api, eventually
from tests.kwok import KwokCluster, node
from tests.stack import ROOT, Stack
from toolchain.review import UNREACHABLE


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


@pytest.fixture
def existing(tmp_path: Path, kubeconfig: Path) -> Stack:
    """A stack on whatever the kubeconfig will name."""
    folder = tmp_path / "stack"
    folder.mkdir()
    cluster = {"kind": "existing", "kubeconfig": str(kubeconfig), "zones": ["zone-a", "zone-b", "zone-c"]}
    return Stack.create(folder, "existing", {"cluster": cluster, "topics": []})


@pytest.fixture(scope="module")
def no_zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KwokCluster]:
    """A cluster whose nodes have no zones."""
    with KwokCluster.create(tmp_path_factory.mktemp("kwok")) as cluster:
        yield cluster


def test_no_kubeconfig(existing: Stack) -> None:
    message = existing.refusal("preview")
    assert re.search(r"kafka-ha:cluster.kubeconfig: got \S+kubeconfig, which can't be read", message)


def test_an_unreachable_cluster_can_be_previewed_and_not_deployed(existing: Stack, kubeconfig: Path) -> None:
    kubeconfig.write_text(UNREACHABLE)
    assert "the zones could not be checked" in existing.pulumi("preview", "--stack", existing.name)
    message = existing.refusal("up", "--yes", "--skip-preview")
    assert "kafka-ha:cluster: the zones could not be checked, the cluster does not answer" in message
    assert "Check kubeconfig and context" in message


def test_a_cluster_without_the_zones(existing: Stack, kubeconfig: Path, no_zones: KwokCluster) -> None:
    kubeconfig.write_text(no_zones.kubeconfig)
    assert "got zone-a, zone-b, zone-c, but no node is there. The cluster's zones: none" in existing.refusal("preview")
    api = Api(no_zones.kubeconfig)
    for zone in ("zone-a", "zone-b", "zone-x"):
        api.core.create_node(node(f"node-{zone}", zone))
    message = existing.refusal("preview")
    assert "kafka-ha:cluster.zones: got zone-c, but no node is there" in message
    assert "The cluster's zones: zone-a, zone-b, zone-x" in message


def test_a_cluster_without_storage_or_rights(existing: Stack, kubeconfig: Path, no_zones: KwokCluster) -> None:
    """Once all zones have nodes: what is missing is told before anything is made, and nothing is left of the tries."""
    kubeconfig.write_text(no_zones.kubeconfig)
    api = Api(no_zones.kubeconfig)
    api.core.create_node(node("node-zone-c", "zone-c"))

    @eventually
    def ready() -> None:
        message = existing.refusal("preview")
        assert "kafka-ha:kafka.storage.storageClass: got nothing, but the cluster has no default class" in message
        assert "kafka.nodePool" not in message, "kwok makes them ready after a moment"

    ready()
    client.StorageV1Api(api.core.api_client).create_storage_class(
        {
            "metadata": {"name": "zonal", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    )
    told = existing.pulumi("preview", "--stack", existing.name)
    assert "kafka-ha:kafka.storage.size: the storage class zonal grows no volumes" in told
    assert "may not" not in told, "an administrator may do all"

    reader = yaml.safe_load(no_zones.kubeconfig)
    for user in reader["users"]:
        user["user"]["as"] = "reader"
    kubeconfig.write_text(yaml.safe_dump(reader))
    rbac = client.RbacAuthorizationV1Api(api.core.api_client)
    kinds = ["nodes", "storageclasses", "statefulsets", "persistentvolumeclaims", "pods"]
    rule = {"apiGroups": ["*"], "resources": kinds, "verbs": ["get", "list"]}
    rbac.create_cluster_role({"metadata": {"name": "reader"}, "rules": [rule]})
    subject = {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    rbac.create_cluster_role_binding({"metadata": {"name": "reader"}, "roleRef": role, "subjects": [subject]})
    assert "its user may not create configmaps" in existing.pulumi("preview", "--stack", existing.name)
    message = existing.refusal("up", "--yes", "--skip-preview")
    assert "kafka-ha:cluster.context: got the current one, but its user may not create configmaps, patch" in message
    assert "create statefulsets.apps" in message
    assert "create pods/exec" in message
    namespaces = {namespace.metadata.name for namespace in api.core.list_namespace().items}
    assert "kafka" not in namespaces


@pytest.mark.skipif(importlib.util.find_spec("pulumi_aws") is not None, reason="pulumi_aws is installed")
def test_production_without_its_package(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    given = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    stack = Stack.create(folder, "prod", {key.removeprefix("kafka-ha:"): value for key, value in given.items()})
    message = stack.refusal("preview")
    assert "kafka-ha:cluster.kind: got eks, but its package pulumi_aws is not installed" in message
    assert ".venv/bin/pip install -r requirements-eks.txt" in message


def kwok_stack(folder: Path, home: Path, name: str) -> Stack:
    cluster: dict[str, Any] = {"kind": "kwok", "name": f"engine-{name}", "nodesPerZone": 1}
    return Stack.create(folder, name, {"cluster": cluster, "topics": []}, {"KWOK_WORKDIR": str(home)})


def test_a_cluster_of_the_same_name_with_other_zones(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    with KwokCluster.create(tmp_path / "kwok", "engine-taken"):
        stack = kwok_stack(folder, tmp_path / "kwok", "taken")
        message = stack.refusal("up", "--yes", "--skip-preview")
        assert "kafka-ha:cluster.name: got engine-taken, but a cluster of that name exists with other zones" in message
        assert "Choose another name" in message
        stack.destroy()


def test_an_interrupted_up_goes_on(tmp_path: Path) -> None:
    """Ended by Ctrl-C while the cluster is made: the next up takes what is there and finishes."""
    folder = tmp_path / "stack"
    folder.mkdir()
    stack = kwok_stack(folder, tmp_path / "kwok", "interrupted")
    process = stack.start("up", "--stack", stack.name, "--yes", "--skip-preview")
    deadline = time.monotonic() + 120
    while not list((tmp_path / "kwok").glob("clusters/*/kwok.yaml")):
        assert time.monotonic() < deadline, "the cluster's creation never began"
        time.sleep(0.1)
    # Twice, as an impatient user: the second ends the running operations.
    process.send_signal(2)
    time.sleep(1)
    process.send_signal(2)
    try:
        process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode
    stack.up()
    assert sorted(stack.outputs()["brokers"]) == ["kafka-0", "kafka-1", "kafka-2"]
    stack.destroy()
