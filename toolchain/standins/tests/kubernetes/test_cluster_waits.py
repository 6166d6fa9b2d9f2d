"""Over a real API server with real controllers and simulated nodes: waiting for what was made."""

from __future__ import annotations

import time

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from toolchain.standins.properties import to_struct
from toolchain.standins.tests.kubernetes.driver import PluginProcess, Resource, incomplete, message
from toolchain.standins.tests.kubernetes.manifests import LABELS, pod, service, statefulset

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"


def test_statefulset_is_awaited_changed_scaled_and_deleted(live: PluginProcess, namespace: str) -> None:
    kafka = Resource(live, STATEFUL_SET, "kafka")
    inputs = statefulset(namespace, cpu="0.1")
    made = kafka.create(inputs, timeout=60)
    assert made["status"]["readyReplicas"] == 3
    # The server writes 0.1 as 100m and leaves out hostNetwork: false.
    assert kafka.changed(inputs) == {}
    changed = statefulset(namespace, env=[{"name": "A", "value": "1"}])
    assert set(kafka.changed(changed).values()) <= {"ADD", "UPDATE"}
    kafka.update(changed, timeout=60)
    status = kafka.plain["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert status["readyReplicas"] == 3
    kafka.update(statefulset(namespace, 5, env=[{"name": "A", "value": "1"}]), timeout=60)
    assert kafka.plain["status"]["readyReplicas"] == 5
    assert kafka.refresh()
    kafka.delete(timeout=60)
    assert not kafka.refresh()


def test_statefulset_fields_that_replace_it(live: PluginProcess, namespace: str) -> None:
    kafka = Resource(live, STATEFUL_SET, "kafka")
    kafka.create(statefulset(namespace, 1), timeout=60)
    wanted = statefulset(namespace, 1, podManagementPolicy="OrderedReady")
    assert kafka.changed(wanted) == {"spec.podManagementPolicy": "UPDATE_REPLACE"}
    answer = kafka.diff(wanted)
    assert list(answer.replaces) == ["spec.podManagementPolicy"]
    assert answer.deleteBeforeReplace
    assert kafka.changed(statefulset(namespace, 2)) == {"spec.replicas": "UPDATE"}


def test_timeout_keeps_the_object_and_tells_why_its_pods_wait(live: PluginProcess, namespace: str) -> None:
    kafka = Resource(live, STATEFUL_SET, "kafka")
    with pytest.raises(grpc.RpcError) as error:
        kafka.create(statefulset(namespace, 2, cpu="100"), timeout=3)
    found = incomplete(error.value)
    assert found.id == f"{namespace}/kafka"
    assert found.properties.fields["spec"].struct_value.fields["replicas"].number_value == 2
    assert found.reasons[0] == "StatefulSet kafka was not ready in time"
    assert any("[Unschedulable]" in reason and "Insufficient cpu" in reason for reason in found.reasons)


def test_cancelled_wait_keeps_the_object(cluster_kubeconfig: str, namespace: str, plugin: PluginProcess) -> None:
    plugin.configure(kubeconfig=cluster_kubeconfig)
    kafka = Resource(plugin, STATEFUL_SET, "cancelled")
    checked = kafka.check(statefulset(namespace, 1, cpu="100"))
    request = provider_pb2.CreateRequest(urn=kafka.urn, properties=to_struct(checked))
    call = plugin.stub.Create.future(request)
    time.sleep(1.5)
    plugin.stub.Cancel(empty_pb2.Empty())
    with pytest.raises(grpc.RpcError) as error:
        call.result(timeout=20)
    assert incomplete(error.value).id == f"{namespace}/kafka"


def test_skip_await_returns_at_once(live: PluginProcess, namespace: str) -> None:
    inputs = statefulset(namespace, 1, cpu="100")
    inputs["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    Resource(live, STATEFUL_SET, "kafka").create(inputs)


def test_timeout_annotation(live: PluginProcess, namespace: str) -> None:
    inputs = statefulset(namespace, 1, cpu="100")
    inputs["metadata"]["annotations"] = {"pulumi.com/timeoutSeconds": "1"}
    began = time.monotonic()
    with pytest.raises(grpc.RpcError, match="not ready in time"):
        Resource(live, STATEFUL_SET, "kafka").create(inputs)
    assert time.monotonic() - began < 10


def test_services_wait_for_pods_only_where_they_direct_traffic(live: PluginProcess, namespace: str) -> None:
    headless = Resource(live, "kubernetes:core/v1:Service", "headless")
    headless.create(service(namespace, clusterIP="None", publishNotReadyAddresses=True))
    assert headless.changed(service(namespace, clusterIP="None", publishNotReadyAddresses=True)) == {}
    assert "spec.clusterIP" in headless.diff(service(namespace)).detailedDiff
    Resource(live, STATEFUL_SET, "kafka").create(statefulset(namespace, 1), timeout=60)
    inputs = service(namespace)
    inputs["metadata"]["name"] = "bootstrap"
    made = Resource(live, "kubernetes:core/v1:Service", "bootstrap").create(inputs, timeout=30)
    assert made["spec"]["clusterIP"] != "None"


def test_deployment_pod_and_claim(live: PluginProcess, namespace: str) -> None:
    deployment = Resource(live, "kubernetes:apps/v1:Deployment", "web")
    template = {"metadata": {"labels": LABELS}, "spec": pod(namespace)["spec"]}
    inputs = {
        "metadata": {"namespace": namespace},
        "spec": {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template},
    }
    made = deployment.create(inputs, timeout=60)
    assert made["status"]["availableReplicas"] == 2
    assert deployment.changed(inputs) == {}
    single = Resource(live, "kubernetes:core/v1:Pod", "single")
    assert single.create(pod(namespace), timeout=30)["status"]["phase"] == "Running"
    assert single.changed(pod(namespace, restartPolicy="Never")) == {"spec.restartPolicy": "ADD_REPLACE"}
    claim = Resource(live, "kubernetes:core/v1:PersistentVolumeClaim", "claim")
    with pytest.raises(grpc.RpcError) as error:
        claim.create(
            {
                "metadata": {"namespace": namespace},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "missing",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            },
            timeout=1,
        )
    assert "phase is Pending, not Bound" in incomplete(error.value).reasons[1]


def test_job_is_awaited(live: PluginProcess, namespace: str) -> None:
    job = Resource(live, "kubernetes:batch/v1:Job", "job")
    template = {
        "metadata": {"annotations": {"pod-complete.stage.kwok.x-k8s.io": "true"}},
        "spec": pod(namespace, restartPolicy="Never")["spec"],
    }
    inputs = {"metadata": {"namespace": namespace}, "spec": {"template": template}}
    made = job.create(inputs, timeout=60)
    assert made["status"]["succeeded"] == 1
    assert job.changed(inputs) == {}


def test_disruption_budget_updates_in_place(live: PluginProcess, namespace: str) -> None:
    budget = Resource(live, "kubernetes:policy/v1:PodDisruptionBudget", "budget")
    inputs = {
        "metadata": {"namespace": namespace},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
    }
    budget.create(inputs)
    changed = {**inputs, "spec": {"maxUnavailable": 2, "selector": {"matchLabels": LABELS}}}
    assert budget.changed(changed) == {"spec.maxUnavailable": "UPDATE"}
    budget.update(changed)
    assert budget.plain["spec"]["maxUnavailable"] == 2


def test_own_condition(live: PluginProcess, namespace: str) -> None:
    inputs = {
        "metadata": {"namespace": namespace, "annotations": {"pulumi.com/waitFor": "jsonpath={.data.a}=1"}},
        "data": {"a": "1"},
    }
    config = Resource(live, "kubernetes:core/v1:ConfigMap", "settings")
    config.create(inputs, timeout=5)
    inputs["metadata"]["annotations"] = {"pulumi.com/waitFor": "jsonpath={.items[*].a}"}  # type: ignore[index]
    with pytest.raises(grpc.RpcError) as error:
        Resource(live, "kubernetes:core/v1:ConfigMap", "other").create(inputs)
    assert "is not supported by the kubernetes stand-in plugin" in message(error.value)


def test_namespace_deletion_is_awaited(live: PluginProcess) -> None:
    made = Resource(live, "kubernetes:core/v1:Namespace", "short-lived")
    made.create({})
    made.delete(timeout=60)
    assert not made.refresh()
