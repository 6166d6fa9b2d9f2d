"""Dedicated controllers, on a cluster that exists already and does not tell pods their zone."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually, is_ready
from tests.live.stack import second_stack
from tests.stack import Stack

NAMESPACE = "dedicated"


@pytest.fixture(scope="module")
def dedicated(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second stack on the live tests' cluster."""
    small = {"resources": {"cpu": "50m", "memory": "512Mi", "heap": "192Mi"}, "storage": {"size": "1Gi"}}
    folder = tmp_path_factory.mktemp(NAMESPACE)
    own = second_stack(stack, folder, NAMESPACE, {"dedicatedControllers": small})
    own.up()
    yield own
    own.destroy()


@pytest.fixture(scope="module")
def nodes(dedicated: Stack) -> dict[str, Cluster]:
    """The brokers' and the controllers' side of the API."""
    kubeconfig = dedicated.outputs()["kubeconfig"]
    sides = {"kafka": "brokers", "kafka-controller": "controllers"}
    for folder in sides.values():
        (dedicated.folder / folder).mkdir()
    return {folder: Cluster(kubeconfig, dedicated.folder / folder, NAMESPACE, name) for name, folder in sides.items()}


def test_brokers_and_controllers_are_spread_each_by_themselves(nodes: dict[str, Cluster]) -> None:
    for side in nodes.values():
        assert len(side.ready()) == 3
        assert sorted(side.zones().values()) == ["zone-a", "zone-b", "zone-c"]


def test_only_controllers_vote(nodes: dict[str, Cluster]) -> None:
    status = nodes["brokers"].status("kafka-0")
    assert [node for node, _ in status["voters"]] == [1000, 1001, 1002]
    assert status["leader"] in (1000, 1001, 1002)


def test_a_second_up_changes_nothing(dedicated: Stack) -> None:
    dedicated.up("--expect-no-changes")


def test_a_controllers_disk_is_lost(dedicated: Stack, nodes: dict[str, Cluster]) -> None:
    controllers, leader = nodes["controllers"], nodes["brokers"].status("kafka-0")["leader"]
    pod = f"kafka-controller-{leader - 1000}"
    uid, disk = controllers.brokers()[pod].metadata.uid, controllers.status(pod)["directory"]
    controllers.replace_disk(pod)
    eventually("a new controller is ready", lambda: controllers.replaced(pod, uid))
    voters = dict(nodes["brokers"].status("kafka-0")["voters"])
    assert voters[leader] == controllers.status(pod)["directory"] != disk
    assert set(voters) == {1000, 1001, 1002}
    assert len(nodes["brokers"].ready()) == 3, "the brokers did not mind"


def test_controllers_stop_one_after_the_other(dedicated: Stack, nodes: dict[str, Cluster]) -> None:
    controllers = nodes["controllers"]
    pods = controllers.brokers()
    controllers.kubectl("-n", NAMESPACE, "delete", "pod", *pods, "--wait=false")
    fewest = 3

    def over() -> bool:
        nonlocal fewest
        found = controllers.brokers()  # one look: two would count a controller of each
        fewest = min(fewest, sum(map(_runs, found.values())))
        return all(is_ready(pod) and pod.metadata.uid != pods[name].metadata.uid for name, pod in found.items())

    eventually("every controller is new and ready", over, 400)
    assert fewest == 2, "no two are down at any time"
    kafka = KafkaClient(nodes["brokers"], nodes["brokers"].kafka_image(), dedicated.outputs()["bootstrap"])
    assert len(kafka.produce("orders", 50)) == 50


def _runs(pod: Any) -> bool:
    return any(one.name == "kafka" and one.state.running for one in pod.status.container_statuses or [])
