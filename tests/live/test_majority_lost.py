"""All disks but one are lost: Kafka 4.3 has no way back by itself, so nothing is made that would hide the loss."""

import time

import pytest

from tests.live.cluster import Cluster, eventually
from tests.live.test_quorum import marks

pytestmark = pytest.mark.usefixtures("healthy")


def test_no_second_quorum_is_made(cluster: Cluster) -> None:
    marked, disk = marks(cluster), cluster.status("kafka-2")["directory"]
    for broker in ("kafka-0", "kafka-1"):
        cluster.core.delete_namespaced_persistent_volume_claim(f"data-{broker}", cluster.namespace)
    cluster.kill("kafka-0", "kafka-1")

    def formatted_anew() -> bool:
        return all(cluster.status(broker).get("directory") for broker in ("kafka-0", "kafka-1"))

    eventually("both have formatted their new disks", formatted_anew)
    time.sleep(20)
    for broker in ("kafka-0", "kafka-1"):
        log = cluster.kubectl("-n", cluster.namespace, "logs", broker, "-c", "prepare")
        assert "an empty disk, to join the cluster that there is" in log
        assert "no leader of the quorum answers" in cluster.status(broker)["unready"]
    assert "no leader of the quorum answers" in cluster.status("kafka-2")["unready"]
    assert cluster.status("kafka-2")["directory"] == disk, "the disk that is left is untouched"
    assert cluster.ready() == set()
    assert marks(cluster) == marked
