"""Brokers that come and go under a producer: three, five, and three again. The tests stand in that order.

Two brokers of a zone share its node here: five are spread over three nodes by two, two and one.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, Partition, eventually
from tests.live.load import Load
from tests.live.watch import Watch
from tests.stack import PulumiFailed, Stack

_TOPIC = "scaling"

pytestmark = pytest.mark.usefixtures("healthy")


@pytest.fixture(scope="module")
def load(stack: Stack, cluster: Cluster, kafka: KafkaClient) -> Iterator[Load]:
    """A producer that goes on through all of it, into a topic of its own; three brokers are left, whatever happens."""
    stack.change(lambda settings: settings["topics"].append({"name": _TOPIC, "partitions": 12, "allowDeletion": True}))
    stack.up()
    properties = stack.outputs()["clientProperties"]
    with Load(cluster, kafka.image, kafka.bootstrap, _TOPIC, properties=properties) as producer:
        yield producer
    stack.change(lambda settings: settings["topics"].pop())
    scale(stack, 3)


def scale(stack: Stack, brokers: int) -> str:
    """Deploys so many brokers; what was printed."""
    stack.change(lambda settings: settings["kafka"].update(brokers=brokers))
    return stack.up()


def voters(cluster: Cluster) -> list[int]:
    return sorted(node for node, _ in cluster.status("kafka-0").get("voters", []))


def claims(cluster: Cluster) -> list[str]:
    found = cluster.core.list_namespaced_persistent_volume_claim(cluster.namespace).items
    return sorted(claim.metadata.name for claim in found)


def unspread(cluster: Cluster) -> list[Partition]:
    """The partitions that have two replicas in one zone, or one out of sync."""
    zones = {int(pod.rpartition("-")[2]): zone for pod, zone in cluster.zones().items()}
    return [
        one
        for one in cluster.partitions()
        if len({zones[broker] for broker in one.replicas}) < 3 or set(one.isr) != set(one.replicas)
    ]


def throttles(cluster: Cluster, kafka: KafkaClient) -> list[str]:
    """Throttles of brokers and topics."""
    lines = kafka.tool("kafka-configs.sh", "--describe", "--entity-type", "brokers").splitlines()
    lines += kafka.tool("kafka-topics.sh", "--describe", "--topic", _TOPIC).splitlines()
    return [line for line in lines if "replication.throttled" in line]


def test_five_brokers_share_what_three_held(stack: Stack, cluster: Cluster, kafka: KafkaClient, load: Load) -> None:
    disks = {broker: cluster.disk_id(broker) for broker in ("kafka-0", "kafka-1", "kafka-2")}
    with Watch(cluster) as watch:
        printed = scale(stack, 5)

    assert "rebalance: " in printed, "progress is shown"
    assert watch.fewest_in_sync >= 2, "no partition was under its minimum ISR"
    assert cluster.ready() == {f"kafka-{ordinal}" for ordinal in range(5)}
    assert voters(cluster) == [0, 1, 2, 3, 4]
    assert unspread(cluster) == []
    assert throttles(cluster, kafka) == []
    partitions = cluster.partitions()
    held = Counter(broker for one in partitions for broker in one.replicas)
    zones = cluster.zones()
    for zone in set(zones.values()):
        loads = [held[ordinal] for ordinal in range(5) if zones[f"kafka-{ordinal}"] == zone]
        assert max(loads) - min(loads) <= 1, (zone, held)
    preferred = Counter(one.replicas[0] for one in partitions)
    assert max(preferred.values()) - min(preferred[ordinal] for ordinal in range(5)) <= 1, preferred
    eventually(
        "the new brokers lead what they are to lead",
        lambda: all(one.leader == one.replicas[0] for one in cluster.partitions() if one.replicas[0] > 2),
    )
    assert {broker: cluster.disk_id(broker) for broker in disks} == disks
    stack.up("--expect-no-changes")


def test_fewer_brokers_than_a_topic_has_replicas_are_refused(
    stack: Stack, cluster: Cluster, kafka: KafkaClient, load: Load
) -> None:
    """A topic that the stack's settings do not name."""
    size = ["--partitions", "1", "--replication-factor", "4"]
    kafka.tool("kafka-topics.sh", "--create", "--topic", "wide", *size)
    pods = {name: pod.metadata.uid for name, pod in cluster.brokers().items()}
    with pytest.raises(PulumiFailed, match=r"kafka\.brokers: got 3, but wide would have 4 replicas, and 3 brokers can"):
        scale(stack, 3)
    assert cluster.stateful_set().spec.replicas == 5
    assert {name: pod.metadata.uid for name, pod in cluster.brokers().items()} == pods
    kafka.tool("kafka-topics.sh", "--delete", "--topic", "wide")


def test_three_brokers_hold_what_five_held(stack: Stack, cluster: Cluster, kafka: KafkaClient, load: Load) -> None:
    before = claims(cluster)
    with Watch(cluster) as watch:
        printed = scale(stack, 3)

    assert "evacuation of broker 3, 4: " in printed, "progress is shown"
    assert "removed from the quorum" not in printed, "each node took its voter out itself, before the next one stopped"
    assert watch.fewest_in_sync >= 2, "no partition was under its minimum ISR"
    assert cluster.ready() == {"kafka-0", "kafka-1", "kafka-2"}
    assert voters(cluster) == [0, 1, 2]
    assert unspread(cluster) == []
    assert throttles(cluster, kafka) == []
    assert {broker for one in cluster.partitions() for broker in one.replicas} == {0, 1, 2}
    told = ["list-endpoints", "--bootstrap-server", kafka.bootstrap, "--include-fenced-brokers"]
    registered = kafka.run("kafka-cluster.sh", *told)
    assert [line.split()[0] for line in registered.splitlines()[1:]] == ["0", "1", "2"]
    assert claims(cluster) == before, "claims are kept"
    assert {claim.partition("-kafka-")[2] for claim in before} == set("01234")
    stack.up("--expect-no-changes")


def test_no_acknowledged_record_was_lost(kafka: KafkaClient, load: Load) -> None:
    report = load.finish()
    assert not report.errors
    assert len(report.acknowledged) > 1000
    assert {value for _, value in report.acknowledged} <= set(kafka.consume(_TOPIC))
