"""`faultTolerance: 2`: writes go on with one planned and one unplanned loss at the same time."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from kubernetes.client import ApiException

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.load import Load
from tests.live.process import run
from tests.live.stack import SINGLE, second_stack
from tests.stack import Stack

_NAME = "two-losses"

pytestmark = pytest.mark.usefixtures("healthy")


@pytest.fixture(scope="module")
def tolerant(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second stack on the live tests' cluster: five brokers on three nodes, by two, two and one."""
    own = second_stack(stack, tmp_path_factory.mktemp(_NAME), _NAME, {"faultTolerance": 2, "brokers": 5})
    own.up()
    yield own
    own.destroy()


@pytest.mark.long
def test_a_node_is_lost_while_a_broker_is_in_maintenance(tolerant: Stack) -> None:
    outputs = tolerant.outputs()
    cluster = Cluster(outputs["kubeconfig"], tolerant.folder, _NAME, "kafka")
    kafka = KafkaClient(cluster, cluster.kafka_image(), outputs["bootstrap"])
    single = next(one for one in cluster.partitions() if one.topic == SINGLE)
    assert (len(single.replicas), kafka.topic(SINGLE)["ReplicationFactor"]) == (4, "4")
    assert len(cluster.status("kafka-0")["voters"]) == 5
    assert cluster.disruptions_allowed() == 1, "the other loss is kept for what nobody plans"

    nodes = {name: pod.spec.node_name for name, pod in cluster.brokers().items()}
    alone = next(name for name, node in nodes.items() if Counter(nodes.values())[node] == 1)
    planned = next(name for name in nodes if name != alone)
    with Load(cluster, kafka.image, kafka.bootstrap, SINGLE, properties=outputs["clientProperties"]) as load:
        began = time.time()
        cluster.kubectl("cordon", nodes[planned])
        try:
            cluster.evict(planned)
            eventually("the broker in maintenance has stopped", lambda: _is_pending(cluster, planned))
            run("docker", "kill", nodes[alone])
            time.sleep(20)
            report = load.report(began)
            with pytest.raises(ApiException) as refused:
                cluster.evict(next(name for name in nodes if name not in (alone, planned)))
        finally:
            run("docker", "start", nodes[alone])
            cluster.kubectl("uncordon", nodes[planned])
        eventually("all five are back", lambda: len(cluster.ready()) == 5, 300)
        whole = load.finish()
    assert refused.value.status == 429
    assert report.acknowledged[-1][0] > began + 15, "writes go on while two are gone"
    assert whole.longest_gap < 6
    assert not whole.errors
    assert {value for _, value in whole.acknowledged} <= set(kafka.consume(SINGLE))


def _is_pending(cluster: Cluster, broker: str) -> bool:
    pod = cluster.brokers().get(broker)
    return pod is not None and pod.status.phase == "Pending"
