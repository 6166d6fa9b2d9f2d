"""The sidecar as a whole: what it answers, what it says, and the process that holds its node back."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.checker import __main__ as checker
from components.checker.__main__ import Checker, Stopping
from components.checker.verdict import Observation
from components.checker.wire import DESCRIBE_QUORUM, Metadata, Partition, Quorum, Replica
from tests.unit.checker import kafka
from tests.unit.checker.environment import environment, plan, variables
from tests.unit.checker.kafka import FakeKafka, directory, running
from tests.unit.clock import Clock

REPOSITORY = Path(__file__).parents[3]


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Waits for it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.05)
    return found


class FakeWatch:
    """Sees what it is told."""

    def __init__(self, node: Any) -> None:
        self.node = node
        voters = tuple(Replica(voter, directory(voter), 5000) for voter in range(3))
        metadata = Metadata(frozenset({0, 1, 2}), (Partition("t", 0, 0, (0, 1, 2), (0, 1, 2)),))
        self.seen = Observation(metadata=metadata, quorum=Quorum(1, 4, voters), quorum_age=0.0)

    certificate_end = None

    def look(self) -> Observation:
        return self.seen


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(checker, "time", clock)
    return clock


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeWatch:
    watch = FakeWatch(environment(tmp_path).node._replace(directory=directory(0)))
    monkeypatch.setattr(checker, "Watch", lambda environment: watch)
    return watch


def test_it_answers_from_what_it_saw_last(
    tmp_path: Path, clock: Clock, watching: FakeWatch, capsys: pytest.CaptureFixture[str]
) -> None:
    node = Checker(environment(tmp_path))
    assert node.ready() == (False, "nothing has been seen yet")
    node.look()
    assert node.ready() == (True, "in sync")
    good, text = node.status()
    status = json.loads(text)
    assert (good, status.pop("disks").keys()) == (True, {str(tmp_path / "data")})
    assert status == {
        "node": 0,
        "directory": directory(0),
        "unready": [],
        "unsafe": [],
        "leader": 1,
        "voters": [[voter, directory(voter)] for voter in range(3)],
    }
    assert "kafka_in_sync 1" in node.metrics()[1]
    watching.seen = Observation(trouble="127.0.0.1:9092 does not answer")
    node.look()
    assert "kafka_in_sync 0" in node.metrics()[1]
    assert node.ready() == (False, "127.0.0.1:9092 does not answer; no leader of the quorum answers")
    assert json.loads(node.status()[1])["leader"] is None
    assert capsys.readouterr().out.splitlines() == ["in sync", node.ready()[1]]


def test_a_look_that_is_old_says_nothing(tmp_path: Path, clock: Clock, watching: FakeWatch) -> None:
    node = Checker(environment(tmp_path))
    node.look()
    clock.now += 14
    assert node.ready() == (True, "in sync")
    clock.now += 2
    assert node.ready() == (False, "the last look is 16 s old")


def test_a_disk_that_fills_is_told_once_a_step(
    tmp_path: Path, watching: FakeWatch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    node = Checker(environment(tmp_path))
    told = []
    for fullest in (0.5, 0.801, 0.799, 0.801, 0.91, 0.96, 0.97, 0.94, 0.96, 0.5, 0.85):
        monkeypatch.setattr(checker, "usage", lambda disks, fullest=fullest: {"a": 0.1, "b": fullest})
        node.look()
        told += [fullest for line in capsys.readouterr().out.splitlines() if "full: grow" in line]
    assert told == [0.801, 0.91, 0.96, 0.85]


@pytest.fixture
def stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stopping]:
    """With a program in the place of `stop` that tells when it has begun and, a while after SIGTERM, ended."""
    program = (
        "import pathlib, signal, time\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "try:\n"
        "    signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "    (folder / 'begun').touch()\n"
        "    time.sleep(60)\n"
        "finally:\n"
        "    time.sleep(0.3)\n"
        "    (folder / 'ended').touch()\n"
    )
    spawn = os.posix_spawn

    def instead(path: str, command: list[str], values: Any) -> int:
        assert command == [sys.executable, "-m", "components.checker.stop"]
        return spawn(path, [path, "-S", "-c", program], values)

    monkeypatch.setattr(os, "posix_spawn", instead)
    stopping = Stopping(tmp_path / "stopping")
    yield stopping
    stopping.end()


def test_the_process_that_holds_back_runs_from_the_hook_until_the_end(tmp_path: Path, stopping: Stopping) -> None:
    stopping.follow()
    stopping.end()
    assert not (tmp_path / "begun").exists()
    (tmp_path / "stopping").touch()
    stopping.follow()
    until((tmp_path / "begun").exists)
    stopping.follow()
    assert not (tmp_path / "ended").exists()
    stopping.end()
    assert (tmp_path / "ended").exists()  # it waits for it


def test_one_that_dies_is_started_anew(tmp_path: Path, stopping: Stopping) -> None:
    (tmp_path / "stopping").touch()
    stopping.follow()
    until((tmp_path / "begun").exists)
    (tmp_path / "begun").unlink()
    os.kill(stopping._process, signal.SIGKILL)

    def anew() -> bool:
        stopping.follow()
        return (tmp_path / "begun").exists()

    until(anew)
    assert not (tmp_path / "ended").exists()


def test_one_that_is_no_longer_needed_ends(tmp_path: Path, stopping: Stopping) -> None:
    """Kafka was started again in its pod."""
    (tmp_path / "stopping").touch()
    stopping.follow()
    until((tmp_path / "begun").exists)
    (tmp_path / "stopping").unlink()
    stopping.follow()
    assert (tmp_path / "ended").exists()
    stopping.follow()
    assert not stopping._process


@pytest.fixture
def broker() -> Iterator[FakeKafka]:
    fake = FakeKafka()
    fake.is_told(range(3), [Partition("t", 0, 0, (0, 1, 2), (0, 1, 2))], {"t": "2"})
    fake.answers[DESCRIBE_QUORUM] = kafka.quorum(1, [Replica(voter, directory(voter), 5000) for voter in range(3)])
    with running(fake):
        yield fake


def free_port() -> int:
    with running(FakeKafka()) as taken:
        return taken.port


def probe(port: int) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except OSError as silence:
        return 0, str(silence)


def test_the_sidecar_from_its_start_to_its_end(tmp_path: Path, broker: FakeKafka) -> None:
    """A broker whose quorum is asked through it: ready, silent, asked to stop without a Kubernetes API, ended."""
    port, kafka_plan = free_port(), plan(dedicatedControllers={})
    run = tmp_path / "run"
    run.mkdir()
    values = variables(kafka_plan, kafka_plan.brokers, "checker", "kafka-0") | {
        "BROKER_PORT": str(broker.port),
        "HEALTH_PORT": str(port),
        "GRACE_PERIOD": "4",
        "RUN": str(run),
        "DISKS": str(tmp_path),
    }
    del values["PYTHONPATH"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-S", "-m", "components.checker"],
            cwd=REPOSITORY,
            env=os.environ | values,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: probe(port) == (200, "in sync\n"))
        asked = [sys.executable, "-m", "components.checker.live", "status"]
        told = subprocess.run(asked, cwd=REPOSITORY, env=os.environ | values, capture_output=True, check=True)
        status = json.loads(told.stdout)["status"]
        assert (status["unready"], list(status["disks"])) == ([], [str(tmp_path)]), "as make status asks"
        broker.is_told(range(3), [Partition("t", 0, 0, (0, 1, 2), (1, 2))], {"t": "2"})
        broker.answers[DESCRIBE_QUORUM] = kafka.quorum(-1, [])
        until(lambda: probe(port) == (503, "out of the ISR of 1 of 1 partitions, such as t-0\n"))
        (run / "stopping").touch()
        until((run / "may-stop").exists)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    said = (tmp_path / "log").read_text()
    assert said.startswith("in sync\nout of the ISR of 1 of 1 partitions, such as t-0\n")
    assert "stop: is held back: the Kubernetes API does not answer" in said
    assert "stop: stops all the same, the grace period ends: the Kubernetes API does not answer" in said
