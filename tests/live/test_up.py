"""What `pulumi up` builds."""

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster
from tests.stack import Stack


def test_each_zone_has_one_broker(stack: Stack, cluster: Cluster) -> None:
    assert cluster.ready() == {"kafka-0", "kafka-1", "kafka-2"}
    assert sorted(cluster.zones().values()) == ["zone-a", "zone-b", "zone-c"]


def test_outputs_tell_where_the_brokers_are(stack: Stack, cluster: Cluster) -> None:
    outputs = stack.outputs()
    assert outputs["zones"] == ["zone-a", "zone-b", "zone-c"]
    assert {name: place["zone"] for name, place in outputs["brokers"].items()} == cluster.zones()
    assert outputs["disruptionBudget"]["maxUnavailable"] == 1
    assert "kubectl run kafka-client" in outputs["clientCommand"]


def test_the_topic_is_as_configured(stack: Stack, kafka: KafkaClient, topic: str) -> None:
    found = kafka.topic(topic)
    assert found["PartitionCount"] == str(stack.config["topics"][0]["partitions"])
    assert found["ReplicationFactor"] == "3"
    assert "min.insync.replicas=2" in found["Configs"]


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    stack.up("--expect-no-changes")


def test_the_client_command_starts_a_pod_with_kafkas_tools(stack: Stack, cluster: Cluster, topic: str) -> None:
    program, *arguments = stack.outputs()["clientCommand"].replace(" -it ", " -i ").split()  # a test has no terminal
    assert program == "kubectl"
    out = cluster.kubectl(
        *arguments, stdin=f"/opt/kafka/bin/kafka-topics.sh --bootstrap-server $BOOTSTRAP --list --topic {topic}\n"
    )
    assert topic in out.split()
