"""An upgrade of Kafka in steps: the image rolls, the way back is open, then the metadata's version, then it is shut."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.stack import live_stack, remove_leftovers
from tests.live.test_changes import uids
from tests.live.test_drills import allow, drill
from tests.live.watch import Watch
from tests.stack import PulumiFailed, Stack

pytestmark = pytest.mark.long

OLD, NEW = "apache/kafka:4.2.0", "apache/kafka:4.3.1"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own that begins with the old image."""
    remove_leftovers()
    upgraded = live_stack(tmp_path_factory.mktemp("upgrade"))
    deploy(upgraded, image=OLD)
    yield upgraded
    if upgraded.exists:
        upgraded.destroy()
    remove_leftovers()


@pytest.fixture(scope="module")
def cluster(old: Stack) -> Cluster:
    return Cluster(old.outputs()["kubeconfig"], old.folder, "kafka", "kafka")


@pytest.fixture(scope="module")
def kafka(old: Stack, cluster: Cluster) -> KafkaClient:
    return KafkaClient(cluster, NEW, old.outputs()["bootstrap"])


@pytest.fixture(scope="module")
def acknowledged(kafka: KafkaClient) -> set[str]:
    """Records from before the upgrade."""
    return kafka.produce("orders", 100)


def deploy(stack: Stack, **settings: object) -> str:
    stack.change(lambda config: config["kafka"].update(settings))
    return stack.up()


def metadata_version(kafka: KafkaClient) -> str:
    lines = kafka.tool("kafka-features.sh", "describe").splitlines()
    [line] = [line for line in lines if line.startswith("Feature: metadata.version")]
    return line.partition("FinalizedVersionLevel: ")[2].split()[0]


def images(cluster: Cluster) -> set[str]:
    return {pod.spec.containers[0].image for pod in cluster.brokers().values()}


def test_the_drill_of_an_upgrade(old: Stack, tmp_path: Path) -> None:
    allow(old)
    code, out = drill(old, tmp_path, "rolling-upgrade", "--upgrade-image", NEW)
    assert code == 0, out
    assert "rolling-upgrade: pass" in out


def test_the_image_rolls_and_the_metadata_stays(
    old: Stack, cluster: Cluster, kafka: KafkaClient, acknowledged: set[str]
) -> None:
    with Watch(cluster) as watch:
        deploy(old, image=NEW)
    assert watch.most_unready == 1
    assert images(cluster) == {NEW}
    assert metadata_version(kafka).startswith("4.2")
    assert acknowledged <= set(kafka.consume("orders"))


def test_the_way_back_is_open(old: Stack, cluster: Cluster, kafka: KafkaClient, acknowledged: set[str]) -> None:
    deploy(old, image=OLD)
    assert images(cluster) == {OLD}
    assert acknowledged <= set(kafka.consume("orders"))


def test_a_version_that_the_nodes_do_not_know_is_refused(old: Stack, kafka: KafkaClient) -> None:
    with pytest.raises(PulumiFailed, match=r"the image apache/kafka:4.2.0 does not know it"):
        deploy(old, image=OLD, metadataVersion="4.3")


def test_image_and_version_at_once_are_rolled_first_and_finalized_last(
    old: Stack, cluster: Cluster, kafka: KafkaClient, acknowledged: set[str]
) -> None:
    out = deploy(old, image=NEW, metadataVersion="4.3")
    assert out.index("kafka-brokers updated") < out.index("kafka-metadata-version creating")
    assert images(cluster) == {NEW}
    assert metadata_version(kafka).startswith("4.3")
    eventually("all brokers are ready", lambda: len(cluster.ready()) == 3)
    assert acknowledged <= set(kafka.consume("orders"))
    old.up("--expect-no-changes")


def test_now_the_way_back_is_shut(old: Stack, cluster: Cluster) -> None:
    before = uids(cluster)
    with pytest.raises(PulumiFailed, match=r"got 4.2, but the cluster's metadata version is 4.3"):
        deploy(old, image=NEW, metadataVersion="4.2")

    def forget(config: dict[str, dict[str, object]]) -> None:
        del config["kafka"]["metadataVersion"]
        config["kafka"]["image"] = OLD

    old.change(forget)
    assert "which Kafka 4.2 does not know" in old.refusal("preview")
    assert uids(cluster) == before
    deploy(old, image=NEW)
    assert uids(cluster) == before


def test_the_records_of_before_are_there(kafka: KafkaClient, acknowledged: set[str]) -> None:
    assert acknowledged <= set(kafka.consume("orders"))


def test_it_is_destroyed(old: Stack, tmp_path: Path) -> None:
    old.destroy()
    assert not old.exists
