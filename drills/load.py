"""The load: a topic, and a pod with real clients that write to it, read along, and at last read everything.

Steps of one load, in this order: `with Load(…) as load:` (pod and topic are there), `start`, `stop`, `audit`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from drills import clock, reading
from drills.errors import DrillError, NotInTime
from drills.following import Following
from drills.kubernetes import ExecFailed, Kubernetes
from drills.model import Event, Note, ReadEnd
from drills.observe import condition
from drills.pods import manifests
from drills.pods.manifests import FOLDER, LABELS, MONITOR, NAME
from drills.situation import Situation
from drills.target import Target

_POD_SECONDS = 300.0  # images may have to be pulled
_TOOL_SECONDS = 120.0
_FIRST_SECONDS = 60.0
_STOP_SECONDS = 180.0  # more than the default delivery timeout: every send has its outcome
_CATCH_UP_SECONDS = 60.0
_READ_SECONDS, _READ_RATE = 120.0, 2000.0  # the final read's bound, and what more it gets: seconds, records a second

_Lines = Callable[[dict[str, Any], float], Iterator[Event]]


@dataclass(frozen=True)
class LoadSettings:
    """What is asked of a load."""

    partitions: int = 6
    rate: int = 500
    """Records a second."""
    properties: str = ""
    """Of the clients, as a properties file."""
    replication_factor: int | None = None
    """The cluster's default when None."""
    topic_config: Mapping[str, str] = field(default_factory=dict)
    python_image: str = manifests.PYTHON_IMAGE
    """Of the monitor."""


class Load:
    """`take` gets every event. `node` is where the pod runs; see `placing.place`."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        target: Target,
        settings: LoadSettings,
        node: str | None,
        situation: Situation,
        take: Callable[[Event], None],
    ) -> None:
        self.settings, self.topic = settings, f"{NAME}-{int(time.time())}"
        self._kubernetes, self._target, self._node = kubernetes, target, node
        self._situation, self._take = situation, take
        self._offset = 0.0
        self._ended = {role: threading.Event() for role in manifests.CLIENTS}
        self._has_topic = False
        self._following = ExitStack()

    @property
    def _group(self) -> str:
        return f"{self.topic}-group"

    @property
    def _audit_group(self) -> str:
        return f"{self.topic}-audit"

    def __enter__(self) -> "Load":
        """Creates pod and topic; from then on the monitor tells. Raises DrillError."""
        try:
            self._create()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def start(self) -> None:
        """Writing and reading along begin; returns once records of all partitions were acknowledged and read."""
        settings, arguments = self.settings, ["--bootstrap-server", self._target.bootstrap, "--topic", self.topic]
        keys = str(manifests.keys_for(settings.partitions))
        self._go("consumer", *arguments, "--group-id", self._group)
        self._go("producer", *arguments, "--throughput", str(settings.rate), "--acks", "-1", "--repeating-keys", keys)
        situation, every = self._situation, set(range(settings.partitions))
        self._await(
            "records of every partition are acknowledged and read along",
            lambda: set(situation.ends) >= every and set(situation.consumed) >= every,
            _FIRST_SECONDS,
            ("producer", "consumer"),
        )

    def stop(self) -> None:
        """Writing ends: every record that was sent has its outcome. Raises NotInTime."""
        self._signal("producer")
        self._await("every record has its outcome", self._ended["producer"].is_set, _STOP_SECONDS, ("producer",))

    def audit(self) -> None:
        """The group reads on to the end; then all is read from the beginning. What could not be read in time is left
        out, and so are the ends of those partitions.
        """
        ends = self.ends()
        situation = self._situation
        situation.wait(
            lambda: all(situation.consumed.get(one, 0) >= end for one, end in ends.items()), _CATCH_UP_SECONDS
        )
        self._signal("consumer")
        count = sum(ends.values())
        arguments = ["--bootstrap-server", self._target.bootstrap, "--topic", self.topic, "--verbose"]
        reader = ["--group-id", self._audit_group, "--reset-policy", "earliest", "--max-messages", str(count)]
        self._go("reader", *arguments, *reader)
        bound = _READ_SECONDS + count / _READ_RATE
        if not situation.wait(self._ended["reader"].is_set, bound):
            self._say(f"the final read did not end within {bound:.0f} s")
        for partition, end in sorted(ends.items()):
            # A reader that broke off has ended too: what it did not reach is unread, and not lost.
            if situation.read.get(partition, 0) >= end:
                self._take(ReadEnd(at=time.time(), partition=partition, end=end))
            else:
                self._say(f"partition {partition} was read to {situation.read.get(partition, 0)} of {end}")

    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition, as Kafka tells. Raises ExecFailed."""
        return reading.end_offsets(self._tool("kafka-get-offsets", "--topic", self.topic), self.topic)

    def _create(self) -> None:
        kubernetes, namespace, settings = self._kubernetes, self._target.namespace, self.settings
        self._clear()
        certificate = self._target.certificate
        kubernetes.create_config_map(
            namespace, manifests.config_map(settings.properties, secured=certificate is not None)
        )
        python = self._target.checker_image or settings.python_image
        target = self._target
        pod = manifests.pod(self._node, target.image, python, self.topic, target.bootstrap, certificate)
        kubernetes.create_pod(namespace, pod)
        self._await("the drill's pod runs", self._runs, _POD_SECONDS)
        self._offset = clock.measure(kubernetes, namespace, NAME, "reader").seconds
        sources: dict[str, _Lines] = {
            "producer": reading.producer_events,
            "consumer": reading.consumer_events,
            "reader": reading.reader_events,
            MONITOR: reading.monitor_events,
        }
        for name, events in sources.items():
            self._follow(name, events)
        self._create_topic()
        every = set(range(settings.partitions))
        situation = self._situation
        self._await(
            "the monitor sees the topic's partitions in sync",
            lambda: set(situation.partitions) == every and situation.full_isr,
            _FIRST_SECONDS,
            (MONITOR,),
        )

    def _clear(self) -> None:
        """What a drill left that was killed."""
        namespace = self._target.namespace
        self._kubernetes.delete_labelled(namespace, LABELS)
        self._await(
            "the pod of an earlier drill is gone",
            lambda: self._kubernetes.pod(namespace, NAME) is None,
            _POD_SECONDS,
        )

    def _runs(self) -> bool:
        pod = self._kubernetes.pod(self._target.namespace, NAME) or {}
        status = pod.get("status", {})
        if condition(pod, "PodScheduled") or not status.get("conditions"):
            return condition(pod, "Ready")
        told = next((one.get("message") for one in status["conditions"] if one["type"] == "PodScheduled"), "")
        raise DrillError(f"the drill's pod can't be placed: {told}")

    def _create_topic(self) -> None:
        settings = self.settings
        arguments = ["--topic", self.topic, "--partitions", str(settings.partitions)]
        if settings.replication_factor:
            arguments += ["--replication-factor", str(settings.replication_factor)]
        for key, value in settings.topic_config.items():
            arguments += ["--config", f"{key}={value}"]
        old = [name for name in self._tool("kafka-topics", "--list").split() if name.startswith(f"{NAME}-")]
        for name in old:  # of drills that were killed
            self._tool("kafka-topics", "--delete", "--topic", name)
        self._has_topic = True
        self._tool("kafka-topics", "--create", *arguments)

    def _remove(self) -> None:
        """The topic, the groups and the pod; what can't be removed is said, and the next drill removes it."""
        try:
            if self._has_topic:
                self._remove_topic()
        except DrillError as error:
            self._say(f"not removed, the next drill does it: topic {self.topic} or its groups ({error})")
        self._following.close()
        try:
            self._kubernetes.delete_labelled(self._target.namespace, LABELS)
        except DrillError as error:
            self._say(f"not removed, the next drill does it: pod {NAME} ({error})")

    def _remove_topic(self) -> None:
        self._signal("consumer")
        self._tool("kafka-topics", "--delete", "--if-exists", "--topic", self.topic)
        groups = [part for group in (self._group, self._audit_group) for part in ("--group", group)]
        self._tool("kafka-consumer-groups", "--delete", *groups)

    def _follow(self, name: str, events: _Lines) -> None:
        def take(text: str) -> None:
            line = reading.line_of(text)
            for event in events(line, self._offset):
                self._take(event)
            if line.get("name") in reading.ENDED and name in self._ended:
                self._ended[name].set()

        place = (self._target.namespace, NAME, name)
        self._following.enter_context(Following(self._kubernetes, place, f"{FOLDER}/{name}.jsonl", take))

    def _go(self, role: str, *arguments: str) -> None:
        script = f'echo "$*" >{FOLDER}/go-new && mv {FOLDER}/go-new {FOLDER}/go-{role}'
        self._exec(role, "bash", "-c", script, "bash", *arguments)

    def _signal(self, role: str) -> None:
        self._exec(role, "bash", "-c", f'kill -TERM "$(cat {FOLDER}/{role}.pid)" 2>/dev/null || true')

    def _tool(self, name: str, *arguments: str) -> str:
        """Standard output of one of Kafka's tools, in the pod."""
        script = f'PATH=/opt/kafka/bin:/opt/bitnami/kafka/bin:$PATH; $(command -v {name}.sh || command -v {name}) "$@"'
        place = ["--bootstrap-server", self._target.bootstrap]
        if self._target.certificate:
            place += ["--command-config", manifests.PROPERTIES]
        return self._exec("reader", "bash", "-c", script, name, *place, *arguments)

    def _exec(self, container: str, *command: str) -> str:
        namespace = self._target.namespace
        return self._kubernetes.exec(namespace, NAME, container, *command, seconds=_TOOL_SECONDS)

    def _await(self, what: str, holds: Callable[[], bool], seconds: float, logs: tuple[str, ...] = ()) -> None:
        if not self._situation.wait(holds, seconds):
            raise NotInTime(f"not within {seconds:.0f} s: {what}.{self._last_words(logs)}")

    def _last_words(self, roles: tuple[str, ...]) -> str:
        """The ends of the clients' logs, for the message."""
        told = []
        for role in roles:
            try:
                log = self._exec(role, "tail", "-n", "3", f"{FOLDER}/{role}.log").strip()
            except ExecFailed as error:
                log = str(error)
            told.append(f" {role}: {log or 'says nothing'}.")
        return "".join(told)

    def _say(self, text: str) -> None:
        self._take(Note(at=time.time(), text=text))
