"""Ready means in sync, and the checker that says so is light."""

import subprocess

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.load import Load

pytestmark = pytest.mark.usefixtures("healthy")

_TICKS = 100  # of the kernel's clock, a second
_MEASURED = 20  # seconds


def checker(cluster: Cluster, broker: str, *command: str) -> str:
    """Standard output of a command in a checker's container, where the checker is process 1."""
    return cluster.kubectl("-n", cluster.namespace, "exec", broker, "-c", "checker", "--", *command)


def cpu_seconds(cluster: Cluster) -> float:
    """Of the checker itself and of what it started."""
    fields = checker(cluster, "kafka-0", "cat", "/proc/1/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def test_the_checker_is_light(cluster: Cluster) -> None:
    before = cpu_seconds(cluster)
    checker(cluster, "kafka-0", "sleep", str(_MEASURED))
    assert (cpu_seconds(cluster) - before) / _MEASURED <= 0.010, "10 m of CPU"
    lines = checker(cluster, "kafka-0", "cat", "/proc/1/status").splitlines()
    (resident,) = (int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    assert resident <= 20 * 1024, "20 MiB"


def test_a_restarted_broker_is_not_ready_before_it_is_in_sync(cluster: Cluster, kafka: KafkaClient, topic: str) -> None:
    broker, pod = "kafka-1", cluster.brokers()["kafka-1"]
    seen: list[list[str]] = []

    def is_back() -> bool:
        ready = cluster.replaced(broker, pod.metadata.uid)
        behind = [one.topic for one in cluster.partitions() if 1 in one.replicas and 1 not in one.isr]
        if ready:
            seen.append(behind)
        return ready

    with Load(cluster, kafka.image, kafka.bootstrap, topic, rate=2000):
        cluster.core.delete_namespaced_pod(broker, cluster.namespace)
        eventually("kafka-1 is ready again", is_back)
    assert seen == [[]], "in sync when it was seen ready first"


def test_a_frozen_broker_makes_itself_unready_and_no_other(cluster: Cluster) -> None:
    node = cluster.brokers()["kafka-2"].spec.node_name

    def signal(name: str) -> None:
        subprocess.run(["docker", "exec", node, "pkill", f"-{name}", "-f", "kafka.Kafka"], check=True)

    signal("STOP")
    try:
        eventually("kafka-2 is not ready", lambda: "kafka-2" not in cluster.ready(), 60)
        assert cluster.ready() == {"kafka-0", "kafka-1"}
        assert cluster.disruptions_allowed() == 0
    finally:
        signal("CONT")
    eventually("kafka-2 is ready again", lambda: "kafka-2" in cluster.ready())
