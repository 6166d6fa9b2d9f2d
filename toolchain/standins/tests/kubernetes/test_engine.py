"""Through the real engine and the Python SDK, over a simulated cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.kwok import KwokCluster
from toolchain.standins.tests.engine import CHECKOUT, Project
from toolchain.standins.tests.kubernetes.driver import PluginProcess

PROGRAM = """
    import pulumi
    import pulumi_kubernetes as k8s

    config = pulumi.Config()
    cluster = k8s.Provider(
        "cluster", kubeconfig=open("kubeconfig").read(), cluster_identifier="test"
    )
    opts = pulumi.ResourceOptions(provider=cluster)
    space = k8s.core.v1.Namespace("space", opts=opts)
    name = space.metadata.name
    settings = k8s.core.v1.ConfigMap(
        "settings",
        metadata={"namespace": name},
        data={"a": config.get("a") or "1"},
        opts=opts,
    )
    secret = k8s.core.v1.Secret(
        "secret", metadata={"namespace": name}, string_data={"password": "hunter2"}, opts=opts
    )
    labels = {"app": "kafka"}
    kafka = k8s.apps.v1.StatefulSet(
        "kafka",
        metadata={"name": "kafka", "namespace": name},
        spec={
            "replicas": config.get_int("replicas") or 3,
            "service_name": "kafka-svc",
            "pod_management_policy": config.get("policy") or "Parallel",
            "selector": {"match_labels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [
                        {
                            "name": "kafka",
                            "image": "apache/kafka:4.3.1",
                            "env": [{"name": "SETTINGS", "value": settings.metadata.name}],
                            "resources": {"requests": {"cpu": config.get("cpu") or "0.1"}},
                        }
                    ]
                },
            },
        },
        opts=pulumi.ResourceOptions(
            provider=cluster,
            custom_timeouts=pulumi.CustomTimeouts(create="60s", update=config.get("patience") or "60s"),
        ),
    )
    pulumi.export("namespace", name)
    pulumi.export("settings", settings.metadata.name)
    pulumi.export("ready", kafka.status.ready_replicas)
    pulumi.export("password", secret.data["password"])
"""


@pytest.fixture
def stack(project: Project, launchers: Path, cluster: KwokCluster, live: PluginProcess) -> Project:
    """A project beside a simulated cluster that has nodes."""
    launcher = launchers / "pulumi-resource-kubernetes"
    launcher.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from toolchain.standins.kubernetes.__main__ import main\nmain()\n"
    )
    launcher.chmod(0o755)
    (project.folder / "kubeconfig").write_text(cluster.kubeconfig)
    project.program(PROGRAM)
    return project


def test_life_of_a_stack(stack: Project) -> None:
    preview = stack.run("preview")
    assert "kubernetes:apps/v1:StatefulSet kafka create" in preview
    stack.up()
    first = stack.outputs()
    assert first["ready"] == 3
    assert first["settings"].startswith("settings-")
    assert "hunter2" not in stack.state()
    assert "aHVudGVyMg==" not in stack.state()
    stack.run("preview", "--expect-no-changes")

    stack.run("refresh", "--yes", "--expect-no-changes")
    stack.run("preview", "--expect-no-changes")

    stack.run("config", "set", "replicas", "5")
    assert "1 to update" in stack.run("preview")
    stack.up()
    assert stack.outputs()["ready"] == 5

    stack.run("config", "set", "a", "2")
    assert "1 to replace" in stack.run("preview")
    stack.up()
    assert stack.outputs()["settings"] != first["settings"]
    stack.run("preview", "--expect-no-changes")

    stack.run("config", "set", "policy", "OrderedReady")
    assert "[diff: ~spec]" in stack.run("preview")
    replaced = stack.up()
    assert "kubernetes:apps/v1:StatefulSet kafka replaced" in replaced
    assert stack.outputs()["ready"] == 5


def test_unready_statefulset_is_kept_and_the_next_up_goes_on(stack: Project) -> None:
    stack.run("config", "set", "replicas", "1")
    stack.up()
    stack.run("config", "set", "cpu", "100")
    stack.run("config", "set", "patience", "3s")
    failed = stack.up(fails=True)
    assert "Insufficient cpu" in failed
    assert "StatefulSet kafka was not ready in time" in failed
    stack.run("config", "set", "cpu", "0.2")
    stack.run("config", "set", "patience", "60s")
    # A pod that cannot start holds the rollout; as with kubectl, it has to go first.
    stack.run("config", "set", "policy", "OrderedReady")
    stack.up()
    assert stack.outputs()["ready"] == 1


def test_import(stack: Project) -> None:
    stack.up()
    namespace = stack.outputs()["namespace"]
    settings = stack.outputs()["settings"]
    stack.environment["KUBECONFIG"] = str(stack.folder / "kubeconfig")
    imported = stack.run(
        "import", "kubernetes:core/v1:ConfigMap", "adopted", f"{namespace}/{settings}", "--yes",
        "--generate-code=false", "--protect=false",
    )  # fmt: skip
    assert "1 imported" in imported
    stack.run("state", "delete", "--yes", "--force", _urn(stack, "adopted"))


def _urn(stack: Project, name: str) -> str:
    return next(
        word.strip('",')
        for word in stack.run("stack", "export").split()
        if word.strip('",').startswith("urn:pulumi:") and word.strip('",').endswith(f"::{name}")
    )
