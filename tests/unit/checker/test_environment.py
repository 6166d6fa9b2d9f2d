"""The variables that the manifests set are those that the checker reads."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.checker.environment import Environment
from components.checker.verdict import Node
from tests.unit.checker.environment import plan, variables

OF_PYTHON = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "MALLOC_ARENA_MAX"}
DEDICATED = {"dedicatedControllers": {}, "brokers": 4}


class Noticing(Mapping[str, str]):
    """Remembers what was read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values, self.read = values, set[str]()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@pytest.mark.parametrize("name", ["prepare", "checker"])
@pytest.mark.parametrize(
    "settings", [{}, DEDICATED, {"storage": {"volumes": 3}}, {"labelled": False}, {"metrics": {}}, {"security": {}}]
)
def test_what_is_set_is_read_and_what_is_read_is_set(settings: dict[str, Any], name: str) -> None:
    kafka = plan(**settings)
    for nodes in kafka.groups:
        values = Noticing(variables(kafka, nodes, name, nodes.pods[0]))
        Environment.read(values)
        optional = {"ZONE"} if settings.get("labelled") is False else set()
        optional |= set() if "metrics" in settings else {"AGENT_URL", "AGENT_SHA256", "AGENT_OPTIONS"}
        optional |= set() if "security" in settings else {"TLS", "DOMAIN"}
        assert values.read - optional == set(values) - OF_PYTHON


def read(pod: str, **settings: Any) -> Environment:
    kafka = plan(**settings)
    nodes = kafka.controllers if "controller" in pod else kafka.brokers
    return Environment.read(variables(kafka, nodes, "checker", pod))


def test_a_combined_node() -> None:
    pod = read("kafka-2", storage={"volumes": 2})
    assert pod.node == Node(id=2, broker=True, controller=True, min_isr=2)
    others = [(f"kafka-{node}.kafka.svc.cluster.local.", 9093) for node in (0, 1)]
    assert list(pod.controllers) == [*others, ("127.0.0.1", 9093)]
    assert pod.disks == (Path("/var/lib/kafka/data"), Path("/var/lib/kafka/data-1"))
    assert pod.logs == Path("/var/lib/kafka/data/kraft")
    assert (pod.stateful_set, pod.zone, pod.zones) == ("kafka", "zone-a", ("zone-a", "zone-b", "zone-c"))
    assert [voter.partition("@")[0] for voter in pod.voters.split(",")] == ["0", "1", "2"]


def test_dedicated_nodes() -> None:
    controller, broker = read("kafka-controller-1", **DEDICATED), read("kafka-3", **DEDICATED)
    assert controller.node == Node(id=1001, broker=False, controller=True, min_isr=2)
    assert broker.node == Node(id=3, broker=True, controller=False, min_isr=2)
    assert [port for _, port in controller.controllers] == [9093] * 3
    assert "127.0.0.1" not in dict(broker.controllers)
    assert (controller.stateful_set, broker.stateful_set) == ("kafka-controller", "kafka")
    assert controller.lease == broker.lease  # one node of all stops at a time


def test_where_pods_are_not_labelled() -> None:
    assert read("kafka-0", labelled=False).zone == ""
