"""Volumes of a zone, as a cloud's disks are: a drained broker goes on with its disk on another node of its zone."""

from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from tests.engine.conftest import Api, eventually
from tests.stack import Stack

CLAIM = "data-kafka-0"


def volume(api: Api) -> str:
    name: str = api.core.read_namespaced_persistent_volume_claim(CLAIM, "kafka").spec.volume_name
    return name


def zone(api: Api, node: str) -> str:
    found: str = api.core.read_node(node).metadata.labels["topology.kubernetes.io/zone"]
    return found


def test_a_drained_broker_is_rescheduled_in_its_zone_with_its_disk(sim: Stack) -> None:
    sim.change(lambda config: config["cluster"].update(volumes="zone"))
    sim.up()
    api = Api(sim.outputs()["kubeconfig"])
    before: Any = api.pods()["kafka-0"]
    node, disk = before.spec.node_name, volume(api)
    api.cordon(node)
    api.evict("kafka-0")

    @eventually
    def moved() -> None:
        pod = api.pods().get("kafka-0")
        assert pod is not None
        assert pod.metadata.uid != before.metadata.uid
        assert pod.status.phase == "Running"
        assert zone(api, pod.spec.node_name) == zone(api, node)
        assert pod.spec.node_name != node

    moved()
    assert volume(api) == disk, "no record is fetched again"


def test_with_no_other_node_in_its_zone_it_waits_and_holds_back_the_next_drain(sim: Stack, api: Api) -> None:
    """Another zone has room, but neither the spread nor the disk lets it go there."""
    nodes = [node.metadata.name for node in api.core.list_node().items]
    own = [node for node in nodes if zone(api, node) == zone(api, api.pods()["kafka-0"].spec.node_name)]
    for node in own:
        api.cordon(node)
    api.evict("kafka-0")

    api.finds_no_node("kafka-0")
    with pytest.raises(ApiException) as refusal:
        api.evict("kafka-1")
    assert refusal.value.status == 429
    # A node that is new in the zone, as an upgrade brings it, takes the broker and its disk.
    api.cordon(own[0], unschedulable=False)

    @eventually
    def back() -> None:
        pod = api.pods()["kafka-0"]
        assert (pod.status.phase, pod.spec.node_name) == ("Running", own[0])

    back()
