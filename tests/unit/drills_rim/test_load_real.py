"""The load of a drill against a real Kafka: the pod's programs run as processes, what is run in it as well."""

import contextlib
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from drills import load as module
from drills.checks import expectation
from drills.errors import DrillError
from drills.history import Record
from drills.kafka_state import KafkaState
from drills.load import Load, LoadSettings
from drills.model import About, Acknowledged, Event, Outcome, PartitionState, Phase, QuorumState, SendFailed
from drills.pods import manifests
from drills.situation import Situation
from tests.local_kafka import JARS, LocalKafka, local_kafka
from tests.stack import ROOT
from tests.unit.drills_rim.cluster import TARGET

_TOOLS = ROOT / "tests/testbed/images/kafka/bin/tools"


class Channels:
    """A process, as the Kubernetes library gives a command in a pod."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None
        self._out = self._process.stdout
        self._selector.register(self._out, selectors.EVENT_READ)

    def parts(self) -> Iterator[bytes]:
        while True:
            if not self._selector.select(1):
                yield b""
            elif part := os.read(self._out.fileno(), 65536):
                yield part
            else:
                return

    def readline_stdout(self, timeout: float) -> str:
        return self._out.readline().decode().rstrip("\n")

    def write_stdin(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class LocalPod:
    """As much of `Kubernetes` as a load needs."""

    def __init__(self, folder: Path, kafka: LocalKafka) -> None:
        self.folder = folder / "drill"
        self.folder.mkdir()
        bin_folder = folder / "tools"
        bin_folder.mkdir()
        for line in _TOOLS.read_text().splitlines():
            name, java_class = line.split()[:2]
            logging = f"-Dlog4j2.configurationFile={kafka.folder}/log4j2.yaml"
            java = f'java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m {logging} -cp "{JARS}/*"'
            (bin_folder / f"{name}.sh").write_text(f'#!/bin/bash\nexec {java} {java_class} "$@"\n')
            (bin_folder / f"{name}.sh").chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "FOLDER": str(self.folder),
            "PROPERTIES": str(self.folder / "client.properties"),
            "PYTHONPATH": str(ROOT),
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def create_config_map(self, namespace: str, manifest: Any) -> None:
        (self.folder / "client.properties").write_text(manifest["data"]["client.properties"])

    def create_pod(self, namespace: str, manifest: Any) -> None:
        for container in manifest["spec"]["containers"]:
            command = [part.replace("/opt/kafka-ha", str(ROOT)) for part in container["command"]]
            command = [
                part.replace("/drill/", f"{self.folder}/").replace("python3", sys.executable) for part in command
            ]
            self.processes.append(subprocess.Popen(command, env=self.environment, start_new_session=True))

    def pod(self, namespace: str, name: str) -> Any:
        ready = {"type": "Ready", "status": "True"}
        return {"status": {"conditions": [ready, ready | {"type": "PodScheduled"}]}} if self.processes else None

    def delete_labelled(self, namespace: str, labels: Any) -> None:
        for process in self.processes:
            os.killpg(process.pid, 9)
            process.wait()
        self.processes = []

    def exec(self, namespace: str, name: str, container: str, *command: str, seconds: float) -> str:
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        if done.returncode:
            raise DrillError(done.stderr)
        return done.stdout

    def open(
        self, namespace: str, name: str, container: str, command: Sequence[str], *, stdin: bool = False
    ) -> Channels:
        return Channels(command, self.environment)

    def output(self, namespace: str, name: str, container: str, command: Sequence[str]) -> Iterator[bytes]:
        with contextlib.closing(Channels(command, self.environment)) as channels:
            yield from channels.parts()


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    with local_kafka(tmp_path, "4.3") as running:
        yield running


def test_every_record_is_written_read_along_and_read_back(
    kafka: LocalKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod: Any = LocalPod(tmp_path, kafka)
    monkeypatch.setattr(module, "FOLDER", str(pod.folder))
    target = TARGET.__class__(**{**TARGET.__dict__, "bootstrap": f"127.0.0.1:{kafka.port}"})
    events: list[Event] = []
    situation = Situation()

    def take(event: Event) -> None:
        events.append(event)
        situation.take(event)

    settings = LoadSettings(partitions=4, rate=200, properties=manifests.properties("acks=all\n"))
    with Load(pod, target, settings, "server", situation, take) as load:
        take(Phase(at=0, name="load"))
        load.start()
        take(Phase(at=max(one.at for one in events), name="fault"))
        assert situation.wait(lambda: situation.acknowledged > 1000, 30)
        load.stop()
        load.audit()
        take(Phase(at=max(one.at for one in events), name="end"))
        topics = load._tool("kafka-topics", "--list").split()
        state = KafkaState(pod, target, "kafka-0").read()
    assert load.topic in topics
    assert load.topic not in _topics(pod, kafka)

    assert (state.missing, state.led, set(state.voters)) == (frozenset(), True, {0})

    written = [one for one in events if isinstance(one, Acknowledged)]
    assert {one.partition for one in written} == {0, 1, 2, 3}
    assert not [one for one in events if isinstance(one, SendFailed)]
    states = [one for one in events if isinstance(one, PartitionState)]
    assert {(one.partition, one.leader, one.isr, one.min_isr) for one in states} == {(n, 0, (0,), 1) for n in range(4)}
    assert QuorumState(at=0, leader=0, voters=(0,)) in [
        one.model_copy(update={"at": 0.0}) for one in events if isinstance(one, QuorumState)
    ]
    record = Record(_about(load), sorted(events, key=lambda one: one.at))
    for text in ("no-loss", "no-false-acknowledgement", "order-kept", "no-duplicates", "consumer-goes-on"):
        verdict = expectation(text).judge(record)
        assert verdict.outcome is Outcome.PASS, (text, verdict.detail)


def _topics(pod: LocalPod, kafka: LocalKafka) -> list[str]:
    command = ["bash", "-c", 'kafka-topics.sh "$@"', "bash", "--bootstrap-server", f"127.0.0.1:{kafka.port}", "--list"]
    return pod.exec("", "", "", *command, seconds=60).split()


def _about(load: Load) -> About:
    return About(
        drill="test",
        statement="Nothing happens.",
        began=0,
        context="",
        namespace="",
        image="",
        kubernetes="",
        brokers=(0,),
        zones={0: ""},
        topic=load.topic,
        partitions=4,
        replication_factor=1,
        min_isr=1,
        rate=200,
        client="",
        expectations=(),
    )
