"""The exporter's agent: fetched once for each disk, used only with its checksum, and never in the way of a start."""

import hashlib
import socket
import time
from pathlib import Path

import pytest

from components.checker import agent as agents
from components.checker.agent import AgentError, agent
from components.checker.log import Log
from components.checker.prepare import metrics_agent
from tests.unit.checker.environment import environment

JAR = b"the agent"
SHA256 = hashlib.sha256(JAR).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "agent.jar"
    file.write_bytes(JAR)
    return file


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def test_it_is_fetched_once(source: Path, disk: Path) -> None:
    found = agent(source.as_uri(), SHA256, disk)
    assert (found.parent, found.read_bytes()) == (disk, JAR)
    source.unlink()
    assert agent(source.as_uri(), SHA256, disk) == found, "the network is not needed any more"


def test_a_changed_one_takes_the_place_of_the_last(source: Path, disk: Path) -> None:
    old = agent(source.as_uri(), SHA256, disk)
    source.write_bytes(b"another")
    new = agent(source.as_uri(), hashlib.sha256(b"another").hexdigest(), disk)
    assert list(disk.iterdir()) == [new]
    assert new != old


def test_one_that_was_damaged_is_fetched_anew(source: Path, disk: Path) -> None:
    agent(source.as_uri(), SHA256, disk).write_bytes(b"half")
    assert agent(source.as_uri(), SHA256, disk).read_bytes() == JAR


def test_another_checksum_is_refused(source: Path, disk: Path) -> None:
    with pytest.raises(AgentError, match=rf"has the SHA-256 {SHA256}, not {'0' * 64}: set kafka-ha:kafka.metrics"):
        agent(source.as_uri(), "0" * 64, disk)
    assert not list(disk.iterdir())


@pytest.mark.parametrize("url", ["file:///not/there.jar", "http://127.0.0.1:9/agent.jar", "http://[/"])
def test_one_that_can_not_be_had_is_told(url: str, disk: Path) -> None:
    with pytest.raises(AgentError, match=r"can't be had \(.+\): set kafka-ha:kafka.metrics.agent.url"):
        agent(url, SHA256, disk)


def test_one_that_has_no_end_is_given_up(source: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "_LONGEST", 4)
    with pytest.raises(AgentError, match="more than"):
        agent(source.as_uri(), SHA256, disk)


def test_one_that_does_not_come_in_time_is_given_up(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "_WHOLE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:  # which takes the question and says nothing
        begun = time.monotonic()
        with pytest.raises(AgentError, match=r"not there after 0.2 s"):
            agent(f"http://127.0.0.1:{server.getsockname()[1]}/agent.jar", SHA256, disk)
        assert time.monotonic() - begun < agents._CONNECT


def test_java_gets_it(source: Path, tmp_path: Path) -> None:
    asked = environment(tmp_path, metrics={"agent": {"url": source.as_uri(), "sha256": SHA256}})
    jar = asked.disks[0] / f"jmx-exporter-{SHA256[:16]}.jar"
    assert metrics_agent(asked, Log()) == f"{jar}=9404:/etc/kafka-ha/metrics.yaml"


def test_without_it_the_node_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = environment(tmp_path, metrics={"agent": {"url": "file:///not/there.jar"}})
    assert metrics_agent(asked, Log()) == ""
    assert capsys.readouterr().out.startswith("no metrics of Kafka until the next start: file:///not/there.jar")
    assert metrics_agent(environment(tmp_path), Log()) == "", "nor is one asked for"
