"""A running Kafka by kubectl: who is asked, how often, and what an answer is."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from components.live import kafka as live_kafka
from components.live.kafka import LiveKafka
from components.scripts.kafka_tools import KafkaRefused, KafkaTools, answer_in
from components.scripts.process import Refused

ENVIRONMENT = {"BROKER_PODS": "kafka-0 kafka-1", "NAMESPACE": "kafka", "BOOTSTRAP": "b:9092", "KUBECONFIG_CONTENT": ""}
ANSWER = {
    "topics": {"a": {"partitions": 1}},
    "settings": {"x": "1"},
    "metadata_version": {"finalized": 29, "supported": 30},
}
TOPICS = (
    "kubectl exec failed: Error while executing topic command : Unknown topic config name: x\n"
    "ERROR TopicCommand org.apache.kafka.common.errors.InvalidConfigurationException: Unknown topic config name: x\n\n"
    "command terminated with exit code 1"
)
CONFIGS = (
    "Error while executing config command with args '--alter --add-config a=[b]'\n"
    "java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidRequestException: Invalid value "
    "org.apache.kafka.common.config.ConfigException: value should be at least half the current value 32.\n"
    "\tat java.base/java.util.concurrent.CompletableFuture.reportGet(CompletableFuture.java:396)\n"
)
FEATURES = (
    "Could not upgrade group.version to 1. The update failed for all features since the following feature had an "
    "error: Invalid update version 29 for feature metadata.version.\n"
    "Could not upgrade metadata.version to 29. The update failed for all features since the following feature had an "
    "error: Invalid update version 29 for feature metadata.version.\n7 out of 7 operation(s) failed."
)


class Kubectl:
    """Answers by the pod; None: the pod does not answer."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.calls = answers, list[tuple[str, ...]]()

    def __call__(self, tools: KafkaTools, *arguments: str, stdin: str | None = None) -> str:
        assert stdin is None
        self.calls.append(arguments)
        answer = self.answers[arguments[1]]
        if answer is None:
            raise Refused(f"{arguments[1]} is down")
        return json.dumps(answer)


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    live_kafka.forget()
    yield
    live_kafka.forget()


def kubectl(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> Kubectl:
    asked = Kubectl({name.replace("_", "-"): answer for name, answer in answers.items()})
    monkeypatch.setattr(KafkaTools, "kubectl", lambda tools, *arguments, **more: asked(tools, *arguments, **more))
    return asked


def test_the_next_broker_is_asked_when_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kubectl(monkeypatch, kafka_0=None, kafka_1=ANSWER)
    found = LiveKafka(ENVIRONMENT)
    assert (found.topics, found.settings, found.metadata_level) == (ANSWER["topics"], {"x": "1"}, 29)
    question = ["-c", "checker", "--", "python3", "-m", "checker.live", "topics", "settings", "metadata_version"]
    assert asked.calls == [("exec", "kafka-0", *question), ("exec", "kafka-1", *question)]


def test_no_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which every resource tells, and one of them has waited for."""
    asked = kubectl(monkeypatch, kafka_0=None, kafka_1=None)
    for _ in range(3):
        with pytest.raises(Refused, match="no broker of Kafka can be asked: kafka-1 is down"):
            _ = LiveKafka(ENVIRONMENT).topics
    assert len(asked.calls) == 2


def test_resources_at_work_at_the_same_time_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kubectl(monkeypatch, kafka_0=ANSWER)
    threads = [threading.Thread(target=lambda: LiveKafka(dict(ENVIRONMENT)).topics) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked.calls) == 1
    _ = LiveKafka(ENVIRONMENT | {"NAMESPACE": "other"}).topics
    assert len(asked.calls) == 2, "another cluster is another question"


def test_tools_run_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a JVM in the memory of a broker."""
    running, most = 0, 0

    def run(tools: KafkaTools, *arguments: str, file: str | None = None) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return ""

    monkeypatch.setattr(KafkaTools, "run", run)
    threads = [threading.Thread(target=LiveKafka(ENVIRONMENT).run, args=("kafka-topics.sh",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_an_old_answer_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kubectl(monkeypatch, kafka_0=ANSWER)
    for seconds, calls in ((60.0, 1), (-1.0, 3)):  # any answer is younger than the one and older than the other
        monkeypatch.setattr(live_kafka, "_FRESH", seconds)
        for _ in range(2):
            _ = LiveKafka(ENVIRONMENT).topics
        assert len(asked.calls) == calls


def test_each_node_is_asked_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kubectl(monkeypatch, kafka_0=ANSWER, kafka_controller_0=ANSWER)
    assert LiveKafka(ENVIRONMENT).known_levels(["kafka-0", "kafka-controller-0"]) == {
        "kafka-0": 30,
        "kafka-controller-0": 30,
    }
    assert [call[1] for call in asked.calls] == ["kafka-0", "kafka-controller-0"]


def test_a_pod_is_in_sync_when_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def pod(name: str, **conditions: str) -> dict[str, Any]:
        told = [{"type": kind, "status": status} for kind, status in conditions.items()]
        return {"metadata": {"name": name}, "status": {"conditions": told}}

    pods = [pod("kafka-0", Ready="True"), pod("kafka-1", Ready="False", Initialized="True"), pod("kafka-3")]
    kubectl(monkeypatch, pods={"items": pods})
    assert LiveKafka(ENVIRONMENT).unready(["kafka-0", "kafka-1", "kafka-2"]) == ["kafka-1", "kafka-2"]


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (TOPICS, "Unknown topic config name: x"),
        (CONFIGS, "value should be at least half the current value 32"),
        (FEATURES, "Invalid update version 29 for feature metadata.version"),
        ('kubectl exec failed: Error from server (NotFound): pods "kafka-0" not found', None),
        ("kubectl exec failed: error: unable to upgrade connection: container not found", None),
    ],
)
def test_what_kafka_says_in_a_tools_failure(failure: str, answer: str | None) -> None:
    assert answer_in(failure) == answer


def test_kafkas_answer_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fail(tools: KafkaTools, *arguments: str, stdin: str | None = None) -> str:
        calls.append(arguments)
        raise Refused("pod is down" if len(calls) == 1 else TOPICS)

    monkeypatch.setattr(KafkaTools, "kubectl", fail)
    with pytest.raises(KafkaRefused, match=r"^Unknown topic config name: x$"):
        KafkaTools(ENVIRONMENT | {"BROKER_PODS": "kafka-0 kafka-1 kafka-2"}).run("kafka-topics.sh", "--create")
    assert [call[1] for call in calls] == ["kafka-0", "kafka-1"]
    command = ("-c", "kafka", "--", "/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "b:9092", "--create")
    assert calls[0][2:] == command
