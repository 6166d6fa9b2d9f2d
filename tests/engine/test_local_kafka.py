"""The dynamic resources on a real Kafka of one node, and of two: what they do, find and refuse, in Kafka's own words.

The tests share one node and stand in the order of its life.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import ReadResult

from components.live import kafka as live_kafka
from components.live.provider import LiveProvider
from components.live.settings import SettingsProvider
from components.live.topic import TopicProvider
from components.live.version import ImageProvider, MetadataVersionProvider
from components.scripts.process import Refused
from tests.local_kafka import LocalKafka, local_kafka
from tests.stack import PulumiFailed, Stack

# What the components register, without the cluster around it.
PROGRAM = """
import json
from pathlib import Path

import pulumi

from components.live.settings import SettingsResource
from components.live.topic import TopicResource

asked = json.loads(Path("asked.json").read_text())
reach = {**asked["reach"], "kubeconfig": pulumi.Output.secret(asked["reach"]["kubeconfig"])}
secret = pulumi.ResourceOptions(additional_secret_outputs=["kubeconfig"])
TopicResource("topic", {**asked["topic"], **reach}, secret)
SettingsResource("settings", {"settings": asked["settings"], **reach}, secret)
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    with local_kafka(tmp_path_factory.mktemp("kafka"), "4.2") as running:
        yield running


@pytest.fixture(autouse=True)
def reach(node: LocalKafka, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What every resource is given; each test asks Kafka anew."""
    monkeypatch.setenv("PATH", f"{node.bin}{os.pathsep}{os.environ['PATH']}")
    live_kafka.forget()
    node.calls()
    return {"cluster": "local", "connection": node.connection, "kubeconfig": ""}


def topic(reach: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Inputs as the engine gives them: numbers are floats."""
    config = {"cleanup.policy": "compact,delete", "min.insync.replicas": "1"}
    given = {"name": "orders", "partitions": 3.0, "replicationFactor": 1.0, "config": config, "allowDeletion": True}
    return {**given, "throttle": 50.0 * 2**20, **reach, **changed}


def read(provider: LiveProvider, props: dict[str, Any]) -> ReadResult:
    live_kafka.forget()
    return provider.read("id", props)


def by_hand(props: dict[str, Any], tool: str, *arguments: str) -> None:
    live_kafka.LiveKafka({**props["connection"], "KUBECONFIG_CONTENT": ""}).run(tool, *arguments)


def test_a_topic_is_made_and_read_as_it_was_asked_for(reach: dict[str, Any]) -> None:
    provider, asked = TopicProvider(), topic(reach)
    assert read(provider, asked).id == "", "it is not there yet"
    assert provider.create(asked).id == "local/orders"
    assert read(provider, asked).outs == asked, "the brokers' own log.retention.ms is not the topic's"


def test_a_topics_drift_is_found_and_repaired(reach: dict[str, Any]) -> None:
    provider, asked = TopicProvider(), topic(reach)
    entity = ["--entity-type", "topics", "--entity-name", "orders"]
    config = ["--add-config", "retention.ms=1000", "--delete-config", "cleanup.policy"]
    by_hand(asked, "kafka-configs.sh", "--alter", *entity, *config)
    found = read(provider, asked)
    assert found.outs is not None
    assert found.outs["config"] == {"min.insync.replicas": "1", "retention.ms": "1000"}
    assert provider.diff("id", found.outs, asked).changes
    provider.update("id", found.outs, asked)
    assert read(provider, asked).outs == asked


def test_partitions_are_raised_and_never_lowered(reach: dict[str, Any]) -> None:
    provider, asked = TopicProvider(), topic(reach, partitions=5.0)
    provider.update("id", topic(reach), asked)
    assert read(provider, asked).outs == asked
    live_kafka.forget()
    with pytest.raises(Refused, match=r"kafka-ha:topics\[orders\].partitions: got 3, but the topic has 5"):
        provider.update("id", topic(reach, partitions=2.0), topic(reach))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"config": {"retention.ms": "soon"}}, "Invalid value soon for configuration retention.ms: Not a number"),
        ({"config": {"retention": "1"}}, "Unknown topic config name: retention"),
        ({"replicationFactor": 3.0}, "replication factor of 3 cannot be reached because only 1 broker"),
    ],
)
def test_what_kafka_refuses_is_told_in_a_sentence(reach: dict[str, Any], changed: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=rf"kafka-ha:topics\[new\]: Kafka refuses it: .*{says}") as refusal:
        TopicProvider().create(topic(reach, name="new", **changed))
    assert "Exception" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_all_topics_are_read_by_one_question_and_no_jvm(reach: dict[str, Any], node: LocalKafka) -> None:
    provider = TopicProvider()
    for number in range(20):
        provider.read("id", topic(reach, name=f"topic-{number}"))
    SettingsProvider().read("id", {"settings": {}, **reach})
    MetadataVersionProvider().read("id", {"metadataVersion": "4.2", **reach})
    assert node.calls() == ["checker python3"]


def test_a_topic_is_deleted(reach: dict[str, Any]) -> None:
    provider = TopicProvider()
    provider.delete("id", topic(reach))
    assert read(provider, topic(reach)).id == ""


MIN_ISR = {"min.insync.replicas": "1"}  # Kafka's own, which it keeps in the metadata (KIP-966)


def settings(reach: dict[str, Any], **values: str) -> dict[str, Any]:
    return {"settings": {**MIN_ISR, **{name.replace("_", "."): value for name, value in values.items()}}, **reach}


def test_settings_are_set_found_and_reset(reach: dict[str, Any]) -> None:
    provider = SettingsProvider()
    asked = settings(reach, num_io_threads="16", log_cleanup_policy="compact,delete")
    provider.create(asked)
    assert read(provider, asked).outs == asked
    by_hand(asked, "kafka-configs.sh", "--alter", "--entity-type", "brokers", "--entity-default", "--add-config",
            "log.retention.ms=1,num.io.threads=12")  # fmt: skip
    found = read(provider, asked).outs
    assert found is not None
    assert found["settings"] == {**asked["settings"], "log.retention.ms": "1", "num.io.threads": "12"}
    less = settings(reach, num_io_threads="16")
    live_kafka.forget()
    provider.update("id", found, less)
    assert read(provider, less).outs == less
    provider.delete("id", less)
    assert read(provider, less).outs == settings(reach)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"log_retention_ms": "soon"}, "Invalid value soon for configuration log.retention.ms: Not a number"),
        ({"num_io_threads": "40"}, "value should not be greater than double the current value 8"),
    ],
)
def test_a_setting_that_kafka_refuses(reach: dict[str, Any], values: dict[str, str], says: str) -> None:
    with pytest.raises(Refused, match=rf"kafka-ha:kafka.properties: Kafka refuses it: .*{says}") as refusal:
        SettingsProvider().create(settings(reach, **values))
    assert "\n" not in str(refusal.value)


def metadata(reach: dict[str, Any], version: str) -> dict[str, Any]:
    return {"metadataVersion": version, "pods": ["kafka-0"], **reach}


def test_the_metadata_version_is_raised_last_and_not_lowered(reach: dict[str, Any]) -> None:
    image, version = ImageProvider(), MetadataVersionProvider()
    assert read(version, metadata(reach, "4.3")).outs == metadata(reach, "4.2")
    image.create({"image": "apache/kafka:4.2.0", **reach})
    live_kafka.forget()
    version.create(metadata(reach, "4.3"))
    assert read(version, metadata(reach, "4.2")).outs == metadata(reach, "4.3")
    with pytest.raises(Refused, match=r"got 4.2, but the cluster's metadata version is 4.3"):
        version.update("id", metadata(reach, "4.1"), metadata(reach, "4.2"))
    with pytest.raises(Refused, match=r"got apache/kafka:4.2.0, but the cluster's metadata version is 4.3"):
        image.diff("id", {"image": "apache/kafka:4.3.1", **reach}, {"image": "apache/kafka:4.2.0", **reach})


def test_the_engine_finds_drift_and_repairs_it(reach: dict[str, Any], tmp_path: Path) -> None:
    stack = Stack.create(tmp_path, "drift", {"cluster": {}})
    (tmp_path / "__main__.py").unlink()
    (tmp_path / "__main__.py").write_text(PROGRAM)

    def asks(kubeconfig: str = "hunter-two", **config: str) -> None:
        made = topic({}, name="drift", config={"min.insync.replicas": "1", **config})
        threads = {**MIN_ISR, "num.io.threads": "16"}
        asked = {"topic": made, "settings": threads, "reach": {**reach, "kubeconfig": kubeconfig}}
        (tmp_path / "asked.json").write_text(json.dumps(asked))

    def refreshed(*arguments: str) -> str:
        return stack.pulumi("refresh", "--stack", stack.name, "--yes", "--skip-preview", *arguments)

    asks()
    stack.up()
    refreshed("--expect-no-changes")
    stack.up("--expect-no-changes")
    by_hand(reach, "kafka-topics.sh", "--alter", "--topic", "drift", "--partitions", "4")
    by_hand(reach, "kafka-configs.sh", "--alter", "--entity-type", "brokers", "--entity-default", "--delete-config",
            "num.io.threads")  # fmt: skip
    with pytest.raises(PulumiFailed, match="no changes were expected") as drift:
        refreshed("--expect-no-changes", "--diff")
    out = str(drift.value)
    assert "~ partitions       : 3 => 4" in out
    assert re.search(r'- num\.io\.threads *: "16"', out)
    assert "hunter-two" not in out
    with pytest.raises(PulumiFailed, match="partitions: got 3, but the topic has 4"):
        stack.preview()

    by_hand(reach, "kafka-topics.sh", "--delete", "--topic", "drift")
    refreshed()
    assert stack.preview() == {"topic": "create", "settings": "update"}
    stack.up()
    refreshed("--expect-no-changes")

    asks(kubeconfig="renewed")
    assert stack.preview() == {"topic": "update", "settings": "update"}
    stack.up()
    asks(kubeconfig="renewed", **{"retention.ms": "soon"})
    message = stack.refusal("up", "--yes", "--skip-preview")
    assert "kafka-ha:topics[drift]: Kafka refuses it: Invalid value soon for configuration retention.ms" in message
    stack.destroy()
    assert read(TopicProvider(), topic(reach, name="drift")).id == ""
    assert read(SettingsProvider(), settings(reach)).outs == settings(reach)


def test_the_replication_factor_is_changed_by_a_reassignment(reach: dict[str, Any], node: LocalKafka) -> None:
    provider, asked = TopicProvider(), topic(reach, name="replicated")
    provider.create(asked)
    with node.second_broker():
        for factor in (2.0, 1.0):
            before, asked = asked, {**asked, "replicationFactor": factor}
            live_kafka.forget()
            provider.update("id", before, asked)
            assert read(provider, asked).outs == asked, "and no throttle is left"
