"""What Kafka's own tools tell of partitions and quorum, run in a broker's container."""

import json
import re
from typing import NamedTuple

from components.kafka_plan import TOOLS_FILE
from components.manifests import CONFIG_FOLDER
from drills.errors import DrillError
from drills.kubernetes import Kubernetes
from drills.target import Target

_SECONDS = 120.0
# The container's own variables would have the tool open the broker's JMX port, or take its heap.
_SCRIPT = (
    "unset JMX_PORT KAFKA_JMX_OPTS KAFKA_OPTS; export KAFKA_HEAP_OPTS=-Xmx128m LOG_DIR=/tmp; "
    'PATH=/opt/kafka/bin:/opt/bitnami/kafka/bin:$PATH; $(command -v "$0.sh" || command -v "$0") "$@"'
)
_NO_DIRECTORY = "AAAAAAAAAAAAAAAAAAAAAA"  # of a voter that is known by its number alone


class State(NamedTuple):
    """Of all partitions together."""

    missing: frozenset[int]
    """Brokers that miss in an ISR in which they should be."""
    led: bool
    """Whether every partition, and the quorum, has a leader."""
    voters: dict[int, str]
    """The disk of each voter; without those that are known by their number alone."""


class KafkaState:
    """Asked in that pod, which must be a broker that runs."""

    def __init__(self, kubernetes: Kubernetes, target: Target, pod: str) -> None:
        self._kubernetes, self._target, self._pod = kubernetes, target, pod

    def read(self) -> State:
        """How it stands now. Raises DrillError."""
        topics = self._tool("kafka-topics", "--describe", "--under-replicated-partitions")
        offline = self._tool("kafka-topics", "--describe", "--unavailable-partitions")
        quorum = self._tool("kafka-metadata-quorum", "describe", "--status")
        return State(missing(topics), not offline.strip() and has_leader(quorum), voters(quorum))

    def _tool(self, name: str, *arguments: str) -> str:
        owner = self._target.set_of(self._pod)
        container = owner.container if owner else "kafka"
        place = ["--bootstrap-server", self._target.bootstrap]
        if self._target.certificate:
            place += ["--command-config", f"{CONFIG_FOLDER}/{TOOLS_FILE}"]
        command = ["bash", "-c", _SCRIPT, name, *place, *arguments]
        return self._kubernetes.exec(self._target.namespace, self._pod, container, *command, seconds=_SECONDS)


def missing(described: str) -> frozenset[int]:
    """Of `kafka-topics.sh --describe`: brokers that are replicas, but not in sync."""
    found: set[int] = set()
    for replicas, isr in re.findall(r"Replicas: ([0-9,]+)\s+Isr: ([0-9,]*)", described):
        found |= _numbers(replicas) - _numbers(isr)
    return frozenset(found)


def has_leader(quorum: str) -> bool:
    """Of `kafka-metadata-quorum.sh describe --status`."""
    return bool(re.search(r"LeaderId:\s+[0-9]", quorum))


def voters(quorum: str) -> dict[int, str]:
    """Of the same: the disk of each voter. Raises DrillError when it can't be read."""
    found = re.search(r"CurrentVoters:\s+(\[.*\])", quorum)
    try:
        listed = json.loads(found[1]) if found else []
    except ValueError:
        raise DrillError(f"the voters can't be read: {found[1] if found else ''}") from None
    told = {one["id"]: one.get("directoryId", _NO_DIRECTORY) for one in listed if isinstance(one, dict)}
    return {number: directory for number, directory in told.items() if directory != _NO_DIRECTORY}


def _numbers(text: str) -> set[int]:
    return {int(number) for number in text.split(",") if number}
