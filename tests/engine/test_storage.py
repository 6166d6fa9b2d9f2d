"""Storage through the real engine on a simulated cluster: volumes grow, and nothing else is touched.

The tests share one stack and stand in the order of its life.
"""

import json
import signal
from typing import Any

import pytest
from kubernetes import client

from tests.engine.conftest import Api, eventually, set_kafka
from tests.stack import Stack

GROWN = {"kafka": "update", "kafka-claims": "update", "kafka-new-claims": "update"}
NAMESPACE = "kafka"


def claims(api: Api) -> dict[str, str]:
    """The size that each claim requests."""
    found = api.core.list_namespaced_persistent_volume_claim(NAMESPACE).items
    return {claim.metadata.name: claim.spec.resources.requests["storage"] for claim in found}


def uids(api: Api) -> dict[str, str]:
    """Of the StatefulSet and its pods."""
    found = api.pods() | {"set": api.apps.read_namespaced_stateful_set("kafka", NAMESPACE)}
    return {name: item.metadata.uid for name, item in found.items()}


def test_a_larger_size_grows_the_claims_and_restarts_nothing(sim: Stack) -> None:
    sim.change(lambda config: config["cluster"].update(volumesPerNode=3))
    set_kafka(sim, storage={"size": "10Gi"})
    sim.up()
    api = Api(sim.outputs()["kubeconfig"])
    before = uids(api)
    assert claims(api) == {f"data-kafka-{ordinal}": "10Gi" for ordinal in range(3)}

    set_kafka(sim, storage={"size": "20Gi"})
    assert sim.preview() == GROWN
    sim.up()

    assert claims(api) == {f"data-kafka-{ordinal}": "20Gi" for ordinal in range(3)}
    assert uids(api) == before
    sim.up("--refresh", "--expect-no-changes")


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ({"size": "15Gi"}, "storage.size: got 15Gi, but the claim data-kafka-0 has 20Gi"),
        (
            {"size": "20Gi", "storageClass": "fast"},
            "storage.storageClass: got fast, but the StatefulSet kafka was",
        ),
        ({"size": "20Gi", "volumes": 2}, "storage.volumes: got 2, but the StatefulSet kafka was made with 1"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_touched(
    sim: Stack, api: Api, storage: dict[str, Any], message: str
) -> None:
    def everything() -> tuple[Any, ...]:
        files = api.core.read_namespaced_config_map("kafka-config", NAMESPACE).metadata.resource_version
        return claims(api), uids(api), files, api.apps.read_namespaced_stateful_set("kafka", NAMESPACE).spec

    before, settings = everything(), sim.config["kafka"]
    set_kafka(sim, storage=storage)
    assert f"kafka-ha:kafka.{message}" in sim.refusal("preview")
    assert f"kafka-ha:kafka.{message}" in sim.refusal("up", "--yes", "--skip-preview")
    assert everything() == before
    set_kafka(sim, **settings)


def test_a_class_that_grows_no_volumes_is_named(sim: Stack, api: Api) -> None:
    storage = client.StorageV1Api(api.core.api_client)
    storage.patch_storage_class("zonal-local", {"allowVolumeExpansion": False})
    set_kafka(sim, storage={"size": "30Gi"})
    assert "and its storage class zonal-local grows no volumes. Set it to 20Gi" in sim.refusal("preview")
    assert set(claims(api).values()) == {"20Gi"}
    storage.patch_storage_class("zonal-local", {"allowVolumeExpansion": True})
    set_kafka(sim, storage={"size": "20Gi"})


def test_a_broker_that_is_added_gets_the_grown_size(sim: Stack, api: Api) -> None:
    before = uids(api)
    set_kafka(sim, brokers=5, storage={"size": "20Gi"})
    assert "replace" not in set(sim.preview().values())
    sim.up()
    assert claims(api) == {f"data-kafka-{ordinal}": "20Gi" for ordinal in range(5)}
    assert uids(api)["set"] == before["set"]
    [template] = api.apps.read_namespaced_stateful_set("kafka", NAMESPACE).spec.volume_claim_templates
    assert template.spec.resources.requests["storage"] == "10Gi", "as it was first made"
    sim.up("--expect-no-changes")


def test_a_disk_that_is_replaced_gets_the_grown_size(sim: Stack, api: Api) -> None:
    api.core.delete_namespaced_persistent_volume_claim("data-kafka-4", NAMESPACE)
    api.core.delete_namespaced_pod("kafka-4", NAMESPACE)

    @eventually
    def made_by_the_old_template() -> None:
        assert claims(api).get("data-kafka-4") == "10Gi"
        assert api.pods()["kafka-4"].status.phase == "Running"

    made_by_the_old_template()
    assert sim.preview() == {"kafka-claims": "update", "kafka-new-claims": "update"}
    sim.up()
    assert set(claims(api).values()) == {"20Gi"}


def test_protected_nodes_are_neither_destroyed_nor_replaced(sim: Stack, api: Api) -> None:
    settings = sim.config["kafka"] | {"protect": True, "allowPlaintext": True}
    set_kafka(sim, **settings)
    sim.up()
    before = uids(api)
    state = json.loads(sim.pulumi("stack", "export", "--stack", sim.name))["deployment"]["resources"]
    guarded = {resource["urn"].rpartition("::")[2] for resource in state if resource.get("protect")}
    assert guarded == {"kafka-namespace", "kafka-marks", "kafka-brokers"}

    message = sim.refusal("destroy", "--yes")
    assert "kafka-brokers" in message
    assert "because it is protected" in message
    set_kafka(sim, **settings, name="events")
    assert "protect" in sim.refusal("preview")
    set_kafka(sim, **settings)
    assert sim.preview() == {}
    assert uids(api) == before


def test_another_number_of_volumes_by_making_the_set_anew(sim: Stack, api: Api) -> None:
    """As docs/storage.md says."""
    volumes = claims(api)
    settings = sim.config["kafka"]
    set_kafka(sim, **settings | {"storage": {"size": "20Gi", "volumes": 2}})
    assert "docs/storage.md" in sim.refusal("preview")

    api.apps.delete_namespaced_stateful_set("kafka", NAMESPACE, propagation_policy="Orphan")

    @eventually
    def orphaned() -> None:
        assert not api.apps.list_namespaced_stateful_set(NAMESPACE).items

    orphaned()
    up = sim.start("up", "--stack", sim.name, "--yes", "--skip-preview", "--refresh")
    try:
        for pod in (f"kafka-{ordinal}" for ordinal in range(5)):
            started_anew_with_two_disks(api, pod)
        out, _ = up.communicate(timeout=120)
    finally:
        up.send_signal(signal.SIGINT)
    assert up.returncode == 0, out
    assert claims(api) == volumes | {f"data-1-kafka-{ordinal}": "20Gi" for ordinal in range(5)}
    sim.up("--expect-no-changes")


@eventually
def started_anew_with_two_disks(api: Api, name: str) -> None:
    assert api.apps.list_namespaced_stateful_set(NAMESPACE).items
    pod = api.pods().get(name)
    assert pod
    disks = [volume for volume in pod.spec.volumes if volume.persistent_volume_claim]
    if len(disks) < 2 and not pod.metadata.deletion_timestamp:
        api.core.delete_namespaced_pod(name, NAMESPACE)
    assert (len(disks), pod.status.phase) == (2, "Running")


def test_a_stack_that_is_protected_no_more_is_destroyed(sim: Stack) -> None:
    sim.change(lambda config: config["kafka"].update(protect=False))
    sim.up()
    sim.destroy()
    assert not sim.exists
