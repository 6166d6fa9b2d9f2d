"""A Kafka that is a dictionary, for the dynamic resources."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from components.live import provider
from components.live.kafka import LiveKafka
from components.scripts.kafka_tools import KafkaRefused
from components.scripts.process import Refused


@dataclass
class Kafka:
    """What it holds, what was done to it, and what it says to that."""

    topics: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    level: int | None = 30
    unready: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    refusal: str = ""
    done: list[tuple[str, ...]] = field(default_factory=list)
    reached: list[dict[str, str]] = field(default_factory=list)

    def run(self, tool: str, *arguments: str) -> str:
        if self.refusal:
            raise KafkaRefused(self.refusal)
        self.done.append((tool, *arguments))
        return ""


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """The Kafka that every resource of the test reaches."""
    held = Kafka()

    class Reached(LiveKafka):
        def __init__(self, environment: dict[str, str]) -> None:
            held.reached.append(environment)

        def run(self, tool: str, *arguments: str, file: str | None = None) -> str:
            assert file is None
            return held.run(tool, *arguments)

        def _answer(self) -> dict[str, Any]:
            if held.level is None:
                raise Refused("no broker of Kafka can be asked.")
            versions = {"finalized": held.level, "supported": held.level}
            return {"topics": held.topics, "settings": held.settings, "metadata_version": versions}

        def unready(self, pods: Iterable[str]) -> list[str]:
            return held.unready

        def known_levels(self, pods: Iterable[str]) -> dict[str, int]:
            return {pod: held.known.get(pod, 30) for pod in pods}

    monkeypatch.setattr(provider, "LiveKafka", Reached)
    return held


def reach(**changed: Any) -> dict[str, Any]:
    """The inputs that every resource has."""
    connection = {"NAMESPACE": "kafka", "BROKER_PODS": "kafka-0", "SIMULATED": ""}
    return {"cluster": "k3d/kafka/kafka", "connection": connection, "kubeconfig": "secret", **changed}


SIMULATED = reach(connection={**reach()["connection"], "SIMULATED": "yes"})
