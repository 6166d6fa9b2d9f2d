"""The exporter's agent in a real Kafka, by our own rules for it, and what the checker tells `make status` of that."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.checker.agent import AgentError, agent
from components.checker.metrics import exposition
from components.kafka_plan import plan_kafka
from components.kafka_settings import KafkaSettings
from components.metrics_settings import Agent, Metrics
from tests.alerts.asked import metrics_asked
from tests.local_kafka import JARS, LocalKafka, free_ports, local_kafka

PLAN = plan_kafka(KafkaSettings(metrics=Metrics()), ("zone-a", "zone-b", "zone-c"), "local")


@pytest.fixture(scope="module")
def port() -> int:
    """Of the exporter."""
    [port] = free_ports(1)
    return port


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[LocalKafka]:
    folder = tmp_path_factory.mktemp("kafka")
    if not JARS.is_dir():
        pytest.skip(f"no Kafka: {JARS} is missing (make testbed gets it)")
    try:
        jar = agent(Agent().url, Agent().sha256, JARS.parent)
    except AgentError as error:
        pytest.skip(f"no exporter: {error}")
    rules = folder / "metrics.yaml"
    rules.write_text(PLAN.files(PLAN.brokers)[rules.name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", f"-javaagent:{jar}={port}:{rules}")
        with local_kafka(folder, "4.3") as running:
            yield running


def test_kafka_starts_with_the_agent_and_tells_what_is_asked_for(node: LocalKafka, port: int, tmp_path: Path) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = f"{answer.read().decode()}\n{exposition([tmp_path], True, certificate_end=0)}"
    told = {line.partition("{")[0].split()[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert {name for name in metrics_asked(PLAN) - told if not name.startswith("kube_")} == set()


def test_a_node_tells_of_partitions_and_quorum(node: LocalKafka) -> None:
    question = [str(node.bin / "kubectl"), "exec", "kafka-0", "-c", "checker", "--", "python3"]
    done = subprocess.run([*question, "-m", "checker.live", "partitions", "quorum"], capture_output=True, check=True)
    told = json.loads(done.stdout)
    assert told["partitions"]["brokers"] == {"0": {"leads": 0, "holds": 0, "inSync": 0, "alive": True}}
    assert (told["quorum"]["leader"], told["quorum"]["lags"]) == (0, {"0": 0})
