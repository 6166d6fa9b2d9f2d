"""What is measured: this program's Kafka, and a plain manifest, each on a k3d cluster of its own."""

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.scripts.k3d_cluster import K3d
from components.scripts.lifecycle import Spec
from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.stack import live_stack, remove_leftovers
from tests.stack import Stack

TOPIC = "gap"
CLUSTER = "kafka-ha-plain"
_PLAIN = Path(__file__).parent / "plain.yaml"
PODS = ("kafka-0", "kafka-1", "kafka-2")
SMALL = ("retention.bytes=268435456", "segment.bytes=67108864")  # a full load for minutes must not fill the disk
_IMAGE = "apache/kafka:4.3.1"


class Subject:
    """A running Kafka of three combined nodes, and a topic of one partition."""

    def __init__(self, name: str, cluster: Cluster, bootstrap: str, stack: Stack | None = None) -> None:
        self.name, self.cluster, self.bootstrap = name, cluster, bootstrap
        self.stack = stack
        """What deployed it, where this program did."""
        self.image = _IMAGE
        self.client = KafkaClient(cluster, _IMAGE, bootstrap)
        options = itertools.chain.from_iterable(("--config", one) for one in SMALL)
        self.client.tool("kafka-topics.sh", "--create", "--if-not-exists", "--topic", TOPIC, "--partitions=1", *options)

    def leader(self) -> str:
        """The pod that leads the topic."""
        out = self.client.tool("kafka-topics.sh", "--describe", "--topic", TOPIC)
        return f"kafka-{_number(r'Leader: ([0-9]+)', out)}"

    def quorum_leader(self) -> str:
        """The pod that leads the quorum."""
        return f"kafka-{self._quorum('LeaderId')}"

    def quorum_epoch(self) -> int:
        """It goes up with each election."""
        return int(self._quorum("LeaderEpoch"))

    def follower(self) -> str:
        """A pod that leads neither."""
        return min(set(PODS) - {self.leader(), self.quorum_leader()})

    def node(self, pod: str) -> str:
        """The Kubernetes node that the pod is on."""
        name: str = self.cluster.brokers()[pod].spec.node_name
        return name

    def heal(self) -> None:
        """Waits until every broker is ready and every replica in sync."""
        eventually("all brokers are ready", lambda: self.cluster.ready() == set(PODS), 300)
        eventually("all replicas are in sync", self._in_sync, 300)

    def _quorum(self, what: str) -> str:
        return _number(rf"{what}: +([0-9]+)", self.client.tool("kafka-metadata-quorum.sh", "describe", "--status"))

    def _in_sync(self) -> bool:
        return not self.client.tool("kafka-topics.sh", "--describe", "--under-replicated-partitions").strip()


def _number(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


@contextmanager
def components(folder: Path) -> Iterator[Subject]:
    """This program's, as the stack `dev` has it."""
    remove_leftovers()
    stack = live_stack(folder)
    try:
        stack.up()
        outputs = stack.outputs()
        cluster = Cluster(outputs["kubeconfig"], folder, "kafka", "kafka")
        yield Subject("components", cluster, outputs["bootstrap"], stack)
    finally:
        stack.destroy()


@contextmanager
def plain(folder: Path) -> Iterator[Subject]:
    """The plain manifest's, on a k3d cluster as k3d makes it."""
    options = {"network": network} if (network := os.environ.get("LIVE_NETWORK")) else {}
    k3d = K3d(Spec(CLUSTER, "bench", "bench", ("zone-a", "zone-b", "zone-c"), 1, options))
    k3d.delete()
    k3d.create()
    try:
        cluster = Cluster(k3d.kubeconfig(), folder, "kafka", "kafka")
        cluster.kubectl("apply", "-f", str(_PLAIN))
        eventually("all brokers are ready", lambda: cluster.ready() == set(PODS), 300)
        bootstrap = ",".join(f"{pod}.kafka-svc.kafka.svc.cluster.local:9092" for pod in PODS)
        yield Subject("plain", cluster, bootstrap)
    finally:
        k3d.delete()
