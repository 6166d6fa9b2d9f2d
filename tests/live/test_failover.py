"""How long writes pause. The bounds here hold on a busy machine; `make bench` measures."""

import time

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.load import Load
from tests.live.process import run
from tests.live.stack import SINGLE
from tests.stack import Stack

pytestmark = pytest.mark.usefixtures("healthy")


def test_the_leaders_node_is_drained(cluster: Cluster, kafka: KafkaClient) -> None:
    """With the exported settings or without: a default client sees no error and a pause of less than a second."""
    node = cluster.brokers()[cluster.leader(SINGLE)].spec.node_name
    with Load(cluster, kafka.image, kafka.bootstrap, SINGLE) as load:
        began = time.time()
        try:
            cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
            report = load.settle(began)
        finally:
            cluster.kubectl("uncordon", node)
    assert report.longest_gap < 1
    assert not report.errors


@pytest.mark.parametrize("role", ["partition", "quorum"])
def test_the_leaders_node_is_killed(stack: Stack, cluster: Cluster, kafka: KafkaClient, role: str) -> None:
    leader = cluster.leader(SINGLE) if role == "partition" else cluster.quorum_leader()
    node, properties = cluster.brokers()[leader].spec.node_name, stack.outputs()["clientProperties"]
    with Load(cluster, kafka.image, kafka.bootstrap, SINGLE, properties=properties) as load:
        began = time.time()
        run("docker", "kill", node)
        try:
            report = load.settle(began, 15)
        finally:
            run("docker", "start", node)
    assert report.acknowledged[-1][0] > began + 10, "writes go on while the node is gone"
    assert report.longest_gap < 6
    assert not report.errors
    eventually("the broker is back", lambda: leader in cluster.ready(), 300)
    assert {value for _, value in report.acknowledged} <= set(kafka.consume(SINGLE))
