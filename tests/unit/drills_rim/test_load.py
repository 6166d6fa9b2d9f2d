"""The load's steps, on a pod that is only data: what is asked of it, in which order, and that it is removed."""

from collections.abc import Callable
from typing import Any

import pytest

from drills import clock
from drills import load as module
from drills.errors import DrillError, NotInTime
from drills.kubernetes import ExecFailed
from drills.load import Load, LoadSettings
from drills.model import Acknowledged, Consumed, Event, Note, Read, ReadEnd
from drills.pods.manifests import NAME
from drills.situation import Situation
from tests.unit.drills_rim.cluster import TARGET, partition, pod


class Pod:
    """The API server, with the drill's pod; what is told to the clients makes them write lines."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.there = False
        self.scheduled = True
        self.takes: dict[str, Callable[[str], None]] = {}
        self.fails = ""
        self.quiet: set[str] = set()

    def delete_labelled(self, namespace: str, labels: Any) -> None:
        self.done.append("clear")
        self.there = False

    def create_config_map(self, namespace: str, manifest: Any) -> None:
        self.done.append("config map")

    def create_pod(self, namespace: str, manifest: Any) -> None:
        self.done.append("pod")
        self.there = True

    def pod(self, namespace: str, name: str) -> Any:
        if not self.there:
            return None
        found = pod(name, "server", ready=self.scheduled)
        condition = {"type": "PodScheduled", "status": str(self.scheduled), "message": "0/4 nodes are available"}
        found["status"]["conditions"].append(condition)
        return found

    def exec(self, namespace: str, name: str, container: str, *command: str, seconds: float) -> str:
        assert (namespace, name) == ("kafka", NAME)
        text = " ".join(command)
        if self.fails and self.fails in text:
            raise ExecFailed("it fails")
        if "kafka-get-offsets" in text:
            return f"{command[-1]}:0:2\n{command[-1]}:1:1\n"
        if "--list" in text:
            return f"orders\n{NAME}-1\n"
        if "--delete --topic" in text:
            self.done.append(f"delete {command[-1]}")
        elif "kafka-topics" in text:
            self.done.append("create topic" if "--create" in text else "delete topic")
        elif "kafka-consumer-groups" in text:
            self.done.append("delete groups")
        elif "go-new" in text:
            self.done.append(f"go {container} {' '.join(command[4:])}")
            self._say(container)
        elif "kill -TERM" in text:
            self.done.append(f"stop {container}")
            self._line(container, '{"name": "shutdown_complete"}')
        return ""

    def _say(self, role: str) -> None:
        if role in self.quiet:
            return
        for value, (number, offset) in enumerate(((0, 0), (1, 0), (0, 1))):
            place = f'"partition": {number}, "offset": {offset}, "value": "{value}"'
            name = {"producer": "producer_send_success", "reader": "record_data"}.get(role)
            if name:
                self._line(role, f'{{"timestamp": 1000, "name": "{name}", {place}}}')
            else:
                got = f'{{"partition": {number}, "count": 1, "minOffset": {offset}, "maxOffset": {offset}}}'
                self._line(role, f'{{"timestamp": 1000, "name": "records_consumed", "partitions": [{got}]}}')
        if role == "reader":
            self._line(role, '{"name": "ended"}')

    def _line(self, role: str, text: str) -> None:
        self.takes[role](text)


class Bench:
    def __init__(self) -> None:
        self.pod, self.situation, self.events = Pod(), Situation(), list[Event]()

    def take(self, event: Event) -> None:
        self.events.append(event)
        self.situation.take(event)

    def load(self, **settings: Any) -> Load:
        kubernetes: Any = self.pod
        asked = LoadSettings(**{"partitions": 2, "rate": 50, **settings})
        return Load(kubernetes, TARGET, asked, "server", self.situation, self.take)

    def of(self, kind: type[Event]) -> list[Any]:
        return [one for one in self.events if isinstance(one, kind)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench()

    class Following:
        def __init__(self, kubernetes: Any, place: tuple[str, str, str], file: str, take: Any) -> None:
            found.pod.takes[place[2]] = take

        def __enter__(self) -> None:
            for number in (0, 1):
                found.take(partition(number, number))

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(module, "Following", Following)
    monkeypatch.setattr(clock, "measure", lambda *arguments: clock.Offset(0.0, 0.001))
    for name in ("_POD_SECONDS", "_FIRST_SECONDS", "_STOP_SECONDS", "_CATCH_UP_SECONDS", "_READ_SECONDS"):
        monkeypatch.setattr(module, name, 0.1)
    return found


def test_a_load_from_beginning_to_end(bench: Bench) -> None:
    with bench.load() as load:
        load.start()
        load.stop()
        load.audit()
    place = f"--bootstrap-server {TARGET.bootstrap} --topic {load.topic}"
    assert bench.pod.done == [
        "clear",
        "config map",
        "pod",
        f"delete {NAME}-1",
        "create topic",
        f"go consumer {place} --group-id {load.topic}-group",
        f"go producer {place} --throughput 50 --acks -1 --repeating-keys {2}",
        "stop producer",
        "stop consumer",
        f"go reader {place} --verbose --group-id {load.topic}-audit --reset-policy earliest --max-messages 3",
        "stop consumer",
        "delete topic",
        "delete groups",
        "clear",
    ]
    assert [(one.partition, one.offset, one.value) for one in bench.of(Acknowledged)] == [
        (0, 0, 0),
        (1, 0, 1),
        (0, 1, 2),
    ]
    assert [(one.partition, one.offset, one.value) for one in bench.of(Read)] == [(0, 0, 0), (1, 0, 1), (0, 1, 2)]
    assert len(bench.of(Consumed)) == 3
    assert [(one.partition, one.end) for one in bench.of(ReadEnd)] == [(0, 2), (1, 1)]


def test_a_pod_that_can_not_be_placed_is_told_and_removed(bench: Bench) -> None:
    bench.pod.scheduled = False
    with pytest.raises(DrillError, match="can't be placed: 0/4 nodes are available"), bench.load():
        pass
    assert bench.pod.done == ["clear", "config map", "pod", "clear"]


def test_a_producer_that_says_nothing_is_told_with_its_log(bench: Bench) -> None:
    bench.pod.quiet = {"producer"}
    with pytest.raises(NotInTime, match=r"records of every partition.*producer: says nothing"), bench.load() as load:
        load.start()
    assert bench.pod.done[-3:] == ["delete topic", "delete groups", "clear"]


def test_a_final_read_that_does_not_end_has_no_ends(bench: Bench) -> None:
    bench.pod.quiet = {"reader"}
    with bench.load() as load:
        load.start()
        load.stop()
        load.audit()
    assert not bench.of(ReadEnd)
    assert any("final read did not end" in one.text for one in bench.of(Note))


def test_a_final_read_that_breaks_off_claims_no_more_than_it_read(bench: Bench) -> None:
    """Else what it did not reach would pass for lost."""
    bench.pod.quiet = {"reader"}
    with bench.load() as load:
        load.start()
        load.stop()
        real = bench.pod._say

        def breaks_off(role: str) -> None:
            real(role)
            place = '"partition": 1, "offset": 0, "value": "1"'
            bench.pod._line(role, f'{{"timestamp": 1000, "name": "record_data", {place}}}')
            bench.pod._line(role, '{"name": "shutdown_complete"}')

        bench.pod._say = breaks_off  # type: ignore[method-assign]
        load.audit()
    assert [(one.partition, one.end) for one in bench.of(ReadEnd)] == [(1, 1)]
    assert any("partition 0 was read to 0 of 2" in one.text for one in bench.of(Note))


def test_what_can_not_be_removed_is_said(bench: Bench) -> None:
    with bench.load() as load:
        bench.pod.fails = "--delete"
    assert any(load.topic in one.text and "the next drill does it" in one.text for one in bench.of(Note))
    assert bench.pod.done[-1] == "clear"


def test_the_topic_is_as_asked(bench: Bench) -> None:
    asked: list[str] = []
    real = bench.pod.exec

    def run(namespace: str, name: str, container: str, *command: str, seconds: float) -> str:
        if "--create" in command:
            asked.extend(command)
        return real(namespace, name, container, *command, seconds=seconds)

    bench.pod.exec = run  # type: ignore[method-assign]
    with bench.load(replication_factor=3, topic_config={"min.insync.replicas": "1"}):
        pass
    assert asked[-6:] == ["--partitions", "2", "--replication-factor", "3", "--config", "min.insync.replicas=1"]
