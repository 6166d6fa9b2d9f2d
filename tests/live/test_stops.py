"""No broker stops while its stop would bring a partition under its minimum ISR, whoever asks, and how many at once."""

import time
from collections.abc import Callable

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.load import Load, Report
from tests.live.stack import SINGLE
from tests.live.watch import Watch

pytestmark = pytest.mark.usefixtures("healthy")

BROKERS = ("kafka-0", "kafka-1", "kafka-2")


def under_load(cluster: Cluster, kafka: KafkaClient, disturb: Callable[[], None]) -> tuple[Report, Watch]:
    """What a producer was told, and what was seen, while every broker was replaced by a new pod."""
    before = {name: pod.metadata.uid for name, pod in cluster.brokers().items()}
    asked = set(before)

    def over() -> bool:
        new = {name for name, pod in cluster.brokers().items() if pod.metadata.uid != before[name]}
        return cluster.ready() == set(before) and new >= asked

    with Load(cluster, kafka.image, kafka.bootstrap, SINGLE) as load, Watch(cluster) as watch:
        disturb()
        eventually("every broker is new and ready", over, 400)
        report = load.settle(0)
    assert watch.looks > 10
    assert {value for _, value in report.acknowledged} <= set(kafka.consume(SINGLE))
    return report, watch


def delete(cluster: Cluster, *pods: str) -> None:
    cluster.kubectl("-n", cluster.namespace, "delete", "pod", *pods, "--wait=false")


def test_all_brokers_deleted_at_once_stop_one_after_the_other(cluster: Cluster, kafka: KafkaClient) -> None:
    """What a StatefulSet controller does whose count of the unavailable is wrong (kubernetes#137409)."""
    report, watch = under_load(cluster, kafka, lambda: delete(cluster, *BROKERS))
    assert watch.fewest_in_sync == 2
    assert not report.errors
    assert report.longest_gap < 5


def test_a_roll_waits_for_a_pending_broker(cluster: Cluster, kafka: KafkaClient) -> None:
    """The StatefulSet controller passes over a broker of a lower ordinal that is not ready (kubernetes#96218)."""
    pod = cluster.brokers()["kafka-0"]

    def roll_beside_a_pending_one() -> None:
        cluster.kubectl("cordon", pod.spec.node_name)
        try:
            delete(cluster, "kafka-0")
            eventually("kafka-0 is pending", lambda: cluster.pending("kafka-0"))
            cluster.kubectl("-n", cluster.namespace, "rollout", "restart", "statefulset/kafka")
            eventually("the roll asks the next to stop", lambda: len(cluster.ready()) == 1)
            time.sleep(20)
            assert len(cluster.ready()) == 1, "it is asked, and the last one is not"
            assert min(len(one.isr) for one in cluster.partitions()) == 2, "it has not stopped"
        finally:
            cluster.kubectl("uncordon", pod.spec.node_name)

    report, watch = under_load(cluster, kafka, roll_beside_a_pending_one)
    assert watch.fewest_in_sync == 2
    assert not report.errors


def test_brokers_that_all_go_for_good_do_not_wait_for_each_other(cluster: Cluster, kafka: KafkaClient) -> None:
    cluster.kubectl("-n", cluster.namespace, "scale", "statefulset/kafka", "--replicas=0")
    try:
        # Also the slowest, which may find no quorum any more for its controlled shutdown (docs/kafka.md).
        eventually("no broker is left", lambda: not cluster.brokers(), 60)
    finally:
        cluster.kubectl("-n", cluster.namespace, "scale", "statefulset/kafka", "--replicas=3")
    eventually("a cold start of all brokers ends", lambda: cluster.ready() == set(BROKERS))
