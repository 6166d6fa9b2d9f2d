"""Pure: when objects are ready, and why they are not."""

from __future__ import annotations

from typing import Any

import pytest

from toolchain.standins.kubernetes.errors import PluginError
from toolchain.standins.kubernetes.wait import others, workloads
from toolchain.standins.kubernetes.wait.pods import pod, pod_reasons
from toolchain.standins.kubernetes.wait.rules import own_rule
from toolchain.standins.kubernetes.wait.verdict import Surroundings

NOTHING = Surroundings()


def statefulset(spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    ready = {
        "observedGeneration": 2,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": "r2",
        "updateRevision": "r2",
    }
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate"}, **(spec or {})},
        "status": {**ready, **status},
    }


def test_statefulset_is_ready() -> None:
    assert workloads.statefulset(statefulset(), NOTHING).done


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 1}, "not observed yet"),
        ({"readyReplicas": 2}, "2 of 3 replicas are ready"),
        ({"replicas": 4}, "3 of 3 replicas are ready"),
        ({"currentRevision": "r1", "updatedReplicas": 1}, "1 of 3 replicas are ready"),
    ],
)
def test_statefulset_is_not_ready(status: dict[str, Any], reason: str) -> None:
    verdict = workloads.statefulset(statefulset(**status), NOTHING)
    assert not verdict.done
    assert verdict.reasons[0] == reason


def test_statefulset_on_delete_does_not_wait_for_the_revision() -> None:
    spec = {"updateStrategy": {"type": "OnDelete"}}
    old = {"currentRevision": "r1", "updatedReplicas": 0, "currentReplicas": 0}
    assert workloads.statefulset(statefulset(spec, **old), NOTHING).done


def test_statefulset_partition() -> None:
    spec = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
    staged = {"currentRevision": "r1", "currentReplicas": 2}
    assert workloads.statefulset(statefulset(spec, updatedReplicas=1, **staged), NOTHING).done
    assert not workloads.statefulset(statefulset(spec, updatedReplicas=0, **staged), NOTHING).done


def test_statefulset_of_none() -> None:
    live = statefulset({"replicas": 0}, replicas=0, readyReplicas=0, currentReplicas=0)
    assert workloads.statefulset(live, NOTHING).done


def conditions(**known: str) -> dict[str, Any]:
    return {"conditions": [{"type": k, "status": v, "reason": "R", "message": "m"} for k, v in known.items()]}


def test_deployment() -> None:
    status = {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1, **conditions(Available="True")}
    assert workloads.deployment({"spec": {"replicas": 1}, "status": status}, NOTHING).done
    stuck = {**status, "availableReplicas": 0, **conditions(Available="True", Progressing="False")}
    verdict = workloads.deployment({"spec": {"replicas": 1}, "status": stuck}, NOTHING)
    assert verdict.reasons == ["0 of 1 updated replicas are available", "[R] m"]


def test_job() -> None:
    assert workloads.job({"status": conditions(Complete="True")}, NOTHING).done
    failed = workloads.job({"status": conditions(Failed="True")}, NOTHING)
    assert failed.failed
    assert failed.reasons == ["[R] m"]
    assert not workloads.job({"status": {"active": 1}}, NOTHING).failed


def test_daemonset() -> None:
    names = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    status = {**dict.fromkeys(names, 2), "numberReady": 2}
    assert workloads.daemonset({"status": status}, NOTHING).done
    verdict = workloads.daemonset({"status": {**status, "numberReady": 1}}, NOTHING)
    assert verdict.reasons == ["1 of 2 pods are ready"]


def test_pod() -> None:
    assert pod({"status": conditions(PodScheduled="True", Initialized="True", Ready="True")}, NOTHING).done
    assert pod({"status": {"phase": "Succeeded"}}, NOTHING).done
    assert pod({"status": conditions(PodScheduled="False")}, NOTHING).reasons == ["[R] m"]


def test_reasons_of_containers() -> None:
    waiting = {"name": "a", "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}
    ended = {"exitCode": 1, "reason": "Error"}
    crashed = {
        "name": "b",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended},
    }
    assert pod_reasons({"status": {"containerStatuses": [waiting, crashed]}}) == [
        "container a: [ErrImagePull] not found",
        "container b: [CrashLoopBackOff]",
        "container b ended with exit code 1 (Error)",
    ]
    assert pod_reasons({"status": {"containerStatuses": [{"ready": True, "lastState": waiting}]}}) == []


@pytest.mark.parametrize(
    "spec", [{"clusterIP": "None", "selector": {"a": "b"}}, {"type": "ExternalName"}, {"selector": {}}]
)
def test_services_that_wait_for_no_pods(spec: dict[str, Any]) -> None:
    assert others.service({"spec": spec}, NOTHING).done


def test_service_waits_for_settled_endpoints() -> None:
    live = {"spec": {"selector": {"a": "b"}, "clusterIP": "10.0.0.1"}}
    pending: dict[str, Any] = {"subsets": [{"notReadyAddresses": [{}]}]}
    assert not others.service(live, NOTHING).done
    assert not others.service(live, Surroundings(endpoints={}, endpoints_settled=False)).done
    assert others.service(live, Surroundings(endpoints={})).done
    assert others.service(live, Surroundings(endpoints=pending)).reasons == ["1 selected pods are not ready"]


def test_load_balancer_waits_for_its_address() -> None:
    live: dict[str, Any] = {"spec": {"type": "LoadBalancer"}}
    assert not others.service(live, NOTHING).done
    live["status"] = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
    assert others.service(live, NOTHING).done


def test_claim_of_a_class_that_waits_for_the_first_pod() -> None:
    waits = Surroundings(storage_class={"volumeBindingMode": "WaitForFirstConsumer"})
    assert others.claim({"status": {"phase": "Pending"}}, waits).done
    assert not others.claim({"status": {"phase": "Pending"}}, NOTHING).done
    assert not others.claim({"status": {"phase": "Lost"}}, waits).done
    assert others.claim({"status": {"phase": "Bound"}}, NOTHING).done


def test_volume_quota_and_token() -> None:
    assert others.volume({"status": {"phase": "Available"}}, NOTHING).done
    assert not others.volume({"status": {"phase": "Pending"}}, NOTHING).done
    assert not others.quota({"spec": {"hard": {"pods": "1"}}}, NOTHING).done
    assert not others.token_secret({"type": "kubernetes.io/service-account-token"}, NOTHING).done
    assert others.token_secret({"type": "Opaque"}, NOTHING).done


@pytest.mark.parametrize(
    ("written", "done"),
    [
        ("condition=Ready", True),
        ("condition=Ready=False", False),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath={.status.phase}=Failed", False),
        ("jsonpath={.status.phase}", True),
        ('["condition=Ready","jsonpath={.status.missing}"]', False),
    ],
)
def test_own_conditions(written: str, done: bool) -> None:
    live = {"status": {"phase": "Running", **conditions(Ready="True")}}
    assert own_rule(written)(live, NOTHING).done is done


@pytest.mark.parametrize("written", ["ready", "[]", "jsonpath={.a[0]}", "[1]"])
def test_refused_conditions(written: str) -> None:
    with pytest.raises(PluginError, match="waitFor"):
        own_rule(written)
