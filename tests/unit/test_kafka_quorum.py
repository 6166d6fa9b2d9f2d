"""A quorum that is there already is not moved to other nodes."""

from typing import Any

import pytest

from components.kafka_quorum import moved
from tests.unit.test_kafka_plan import plan

DEDICATED: dict[str, Any] = {"dedicatedControllers": {}}


def marks(voters: str, name: str = "kafka-marks") -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": {"voters": voters, "node-0": "sealed"}}


@pytest.mark.parametrize(
    ("settings", "objects"),
    [
        ({}, []),
        (DEDICATED, [{"kind": "ConfigMap", "metadata": {"name": "kafka-marks"}}]),
        ({}, [marks("0@kafka-0:9093:a,1@kafka-1:9093:b")]),
        ({"brokers": 5}, [marks("0@kafka-0:9093:a,1@kafka-1:9093:b,2@kafka-2:9093:c")]),
        (DEDICATED, [marks("1000@kafka-controller-0:9093:a")]),
        (DEDICATED, [marks("0@other-0:9093:a", name="other-marks")]),
    ],
)
def test_it_stays(settings: dict[str, Any], objects: list[dict[str, Any]]) -> None:
    assert moved(plan(**settings), objects) == []


def test_from_brokers_to_controllers_of_their_own() -> None:
    [told] = moved(plan(**DEDICATED), [marks("0@kafka-0:9093:a,1@kafka-1:9093:b")])
    assert told == (
        "kafka-ha:kafka.dedicatedControllers: got controllers of their own, but the quorum of this cluster was formed "
        "by the brokers, and a running quorum can't be moved. Unset it, or make another cluster and move the topics to "
        "it."
    )


def test_and_back() -> None:
    [told] = moved(plan(), [marks("1000@kafka-controller-0:9093:a")])
    assert "got nothing, but the quorum of this cluster was formed by controllers of their own" in told
