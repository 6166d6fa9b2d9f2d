"""The plugin's process, without a cluster: start, settings, unknown and unreachable clusters, refusals."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from toolchain.standins.properties import UNKNOWN, from_struct, to_struct
from toolchain.standins.tests.kubernetes.driver import PluginProcess, Resource, message
from toolchain.standins.tests.kubernetes.manifests import statefulset
from toolchain.standins.tests.kubernetes.test_settings import kubeconfig

NOWHERE = json.dumps(kubeconfig("https://127.0.0.1:1"))


def test_starts_quickly_and_tells_its_version(plugin: PluginProcess) -> None:
    assert plugin.stub.GetPluginInfo(empty_pb2.Empty()).version == "4.34.2"
    began = time.monotonic()
    PluginProcess().stop()
    assert time.monotonic() - began < 10  # about 0.3 s; the bound allows for a machine that is busy


def test_refused_settings_are_named(plugin: PluginProcess) -> None:
    found = plugin.check_config(kubeconfig=NOWHERE, renderYamlToDirectory="out")
    assert list(found) == ["renderYamlToDirectory"]
    assert "install the official plugin" in found["renderYamlToDirectory"]


def test_another_cluster_replaces_the_provider(plugin: PluginProcess) -> None:
    moved = {"kubeconfig": json.dumps(kubeconfig("https://new:6443"))}
    assert list(plugin.diff_config({"kubeconfig": NOWHERE}, moved).replaces) == ["kubeconfig"]


def test_preview_with_a_kubeconfig_that_is_not_known_yet(plugin: PluginProcess) -> None:
    plugin.configure(kubeconfig=UNKNOWN)
    kafka = Resource(plugin, "kubernetes:apps/v1:StatefulSet", "kafka")
    inputs = statefulset("kafka")
    previewed = kafka.create(inputs, preview=True)
    assert previewed["apiVersion"] == "apps/v1"
    assert previewed["spec"] == inputs["spec"]
    storage = Resource(plugin, "kubernetes:storage.k8s.io/v1:StorageClass", "local")
    assert "namespace" not in storage.check({"provisioner": "x"})["metadata"]


@pytest.fixture
def nowhere(plugin: PluginProcess) -> PluginProcess:
    plugin.configure(kubeconfig=NOWHERE)
    return plugin


def test_unreachable_cluster_previews_from_inputs(nowhere: PluginProcess) -> None:
    config = Resource(nowhere, "kubernetes:core/v1:ConfigMap", "settings")
    assert config.create({"data": {"a": UNKNOWN}}, preview=True)["data"] == {"a": UNKNOWN}
    known = config.create({"metadata": {"name": "a"}}, preview=True)
    assert known["metadata"] == {"name": "a", "namespace": "default"}
    state = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    kept = Resource(nowhere, config.type, "kept", "default/a", state, {**state, "__inputs": state})
    assert kept.changed({"metadata": {"name": "a"}, "data": {"a": "1"}}) == {"data": "ADD_REPLACE"}


def test_unreachable_cluster_fails_an_update_in_one_sentence(nowhere: PluginProcess) -> None:
    config = Resource(nowhere, "kubernetes:core/v1:ConfigMap", "settings")
    with pytest.raises(grpc.RpcError) as error:
        config.create({"metadata": {"name": "a"}})
    assert message(error.value).startswith(
        "the Kubernetes cluster is unreachable: the API server https://127.0.0.1:1 does not answer: "
    )
    assert "PULUMI_K8S_DELETE_UNREACHABLE=true" in message(error.value)
    assert "\n" not in message(error.value)


def test_resources_of_a_lost_cluster_can_be_forgotten(plugin: PluginProcess) -> None:
    plugin.configure(kubeconfig=NOWHERE, deleteUnreachable="true")
    gone = Resource(plugin, "kubernetes:core/v1:ConfigMap", "settings", "default/settings")
    gone.delete()
    assert not gone.refresh()


def test_kubeconfig_without_the_context(plugin: PluginProcess) -> None:
    plugin.configure(kubeconfig=NOWHERE, context="other")
    with pytest.raises(grpc.RpcError) as error:
        Resource(plugin, "kubernetes:core/v1:ConfigMap", "a").create({"metadata": {"name": "a"}})
    assert "context 'other' is not in the kubeconfig; it has: main, side" in message(error.value)


@pytest.mark.parametrize(
    ("token", "inputs", "part"),
    [
        ("kubernetes:helm.sh/v3:Release", {}, "helm.sh/v3:Release is not supported by the kubernetes stand-in"),
        ("kubernetes:core/v1:ConfigMapList", {}, "use the type of the items"),
        ("kubernetes:core/v1:ConfigMapPatch", {}, "metadata.name must be set"),
        ("kubernetes:core/v1:Pod", {"metadata": {"generateName": "a-"}}, "metadata.generateName does not work"),
    ],
)
def test_refused_resources(nowhere: PluginProcess, token: str, inputs: dict[str, Any], part: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        Resource(nowhere, token, "a").check(inputs)
    assert part in message(error.value)


def test_refused_components_functions_and_packages(nowhere: PluginProcess) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: nowhere.stub.Construct(provider_pb2.ConstructRequest(type="kubernetes:helm.sh/v4:Chart", name="a")),
        lambda: nowhere.stub.Invoke(provider_pb2.InvokeRequest(tok="kubernetes:helm:template")),
        lambda: nowhere.stub.Invoke(provider_pb2.InvokeRequest(tok="kubernetes:kustomize:directory")),
        lambda: nowhere.stub.Parameterize(provider_pb2.ParameterizeRequest()),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError, match="is not supported by the kubernetes stand-in plugin"):
            call()


def test_yaml_is_decoded(nowhere: PluginProcess) -> None:
    text = "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n"
    args = to_struct({"text": text, "defaultNamespace": "x"})
    answer = nowhere.stub.Invoke(provider_pb2.InvokeRequest(tok="kubernetes:yaml:decode", args=args))
    assert from_struct(getattr(answer, "return"))["result"] == [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "x"}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}},
    ]


@pytest.mark.parametrize(
    ("mode", "name"),
    [("ENFORCE", "proposed"), ("PROPOSE", "proposed"), ("DISABLE", "")],
)
def test_autonaming_that_the_engine_decides(nowhere: PluginProcess, mode: str, name: str) -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions
    request = provider_pb2.CheckRequest(
        urn="urn:pulumi:s::p::kubernetes:core/v1:ConfigMap::a",
        autonaming=options(proposed_name="proposed", mode=options.Mode.Value(mode)),
    )
    if name:
        checked = from_struct(nowhere.stub.Check(request).inputs)
        assert checked["metadata"]["name"] == name
    else:
        with pytest.raises(grpc.RpcError, match=r"autonaming is disabled for this resource: set metadata.name"):
            nowhere.stub.Check(request)
