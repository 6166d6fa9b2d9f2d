"""A running Kafka: what it holds is asked once for all resources, changes are made by Kafka's own tools."""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from components.scripts.kafka_tools import KafkaTools
from components.scripts.process import Refused

_QUESTION = ("python3", "-m", "checker.live")
_PARTS = ("topics", "settings", "metadata_version")
_FRESH = 10.0  # seconds in which an answer serves other resources of the same deployment
_ANSWERS: dict[str, tuple[float, dict[str, Any] | Refused]] = {}
_ASKING = threading.Lock()  # the other resources wait for the answer
_CHANGING = threading.Lock()  # each of Kafka's tools is a JVM in a broker's memory: one at a time


class LiveKafka(KafkaTools):
    """Every method raises Refused."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`environment`: see `kafka_tools`."""
        super().__init__(environment)
        self._key = json.dumps(dict(environment), sort_keys=True)
        # Without an authorizer Kafka refuses to tell of rights.
        self._parts = [*_PARTS, *(["users"] if environment.get("COMMAND_CONFIG") else [])]

    @property
    def topics(self) -> Mapping[str, Any]:
        """Each topic's `partitions`, `replicationFactor` and `config`, of which only what is set on it."""
        topics: Mapping[str, Any] = self._answer()["topics"]
        return topics

    @property
    def settings(self) -> Mapping[str, str]:
        """What is set for all brokers at run time."""
        settings: Mapping[str, str] = self._answer()["settings"]
        return settings

    @property
    def users(self) -> Mapping[str, Any]:
        """Of each user `logsIn` and `rights`; nobody where no security is."""
        users: Mapping[str, Any] = self._answer()["users"]
        return users

    @property
    def metadata_level(self) -> int:
        """The level of the metadata that holds."""
        return int(self._answer()["metadata_version"]["finalized"])

    def run(self, tool: str, *arguments: str, file: str | None = None) -> str:
        """As `KafkaTools.run`, for one resource at a time."""
        with _CHANGING:
            return super().run(tool, *arguments, file=file)

    def change(self, container: str, *command: str, stdin: str) -> None:
        """Runs a command that changes Kafka, for one resource at a time."""
        with _CHANGING:
            self.first(container, *command, stdin=stdin)

    def configure(self, entity: Iterable[str], found: Mapping[str, str], asked: Mapping[str, str]) -> None:
        """Makes an entity's configuration, `found` by now, what is asked for, by one call of `kafka-configs.sh`, which
        Kafka follows or refuses as a whole.
        """
        changed = {name: value for name, value in asked.items() if found.get(name) != value}
        removed = set(found) - set(asked)
        arguments = []
        if changed:  # brackets keep a value's commas together
            arguments += ["--add-config", ",".join(f"{name}=[{value}]" for name, value in sorted(changed.items()))]
        if removed:
            arguments += ["--delete-config", ",".join(sorted(removed))]
        if arguments:
            self.run("kafka-configs.sh", "--alter", *entity, *arguments)

    def known_levels(self, pods: Iterable[str]) -> dict[str, int]:
        """The highest level of metadata that each node knows."""
        return {pod: self._known_level(pod) for pod in pods}

    def unready(self, pods: Iterable[str]) -> list[str]:
        """Those of the pods that are not ready, which means in sync."""
        found = json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]
        ready = {
            pod["metadata"]["name"]
            for pod in found
            for condition in pod["status"].get("conditions", [])
            if (condition["type"], condition["status"]) == ("Ready", "True")
        }
        return sorted(set(pods) - ready)

    def _answer(self) -> dict[str, Any]:
        with _ASKING:
            told, answer = _ANSWERS.get(self._key, (-inf, Refused()))
            if time.monotonic() - told > _FRESH:
                try:
                    answer = json.loads(self.first("checker", *_QUESTION, *self._parts))
                except Refused as error:  # a cluster that does not answer need not be waited for by each resource
                    answer = Refused(f"no broker of Kafka can be asked: {error}")
                _ANSWERS[self._key] = time.monotonic(), answer
        if isinstance(answer, Refused):
            raise Refused(str(answer))
        return answer

    def _known_level(self, pod: str) -> int:
        answer = json.loads(self.kubectl("exec", pod, "-c", "checker", "--", *_QUESTION, "metadata_version"))
        return int(answer["metadata_version"]["supported"])


def forget() -> None:
    """Has Kafka asked anew by the next question."""
    _ANSWERS.clear()
