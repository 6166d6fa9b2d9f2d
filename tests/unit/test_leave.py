"""A node that leaves for good: when it does, what it asks of whom, and in which bytes."""

import base64
import socket
import struct
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.checker.environment import Environment
from components.checker.kubernetes import ApiError
from components.checker.leave import leave, leaves
from components.checker.wire import Connection, Quorum, Replica, WireError
from tests.unit.checker.environment import environment

DIRECTORY = base64.urlsafe_b64encode(bytes(range(16))).decode().rstrip("=")


def stateful_set(replicas: int, **metadata: str) -> dict[str, Any]:
    return {"metadata": metadata, "spec": {"replicas": replicas}}


@pytest.mark.parametrize(
    ("found", "pod", "expected"),
    [
        (stateful_set(3), "kafka-3", True),
        (stateful_set(3), "kafka-4", True),
        (stateful_set(3), "kafka-2", False),
        (stateful_set(0), "kafka-2", False),
        (stateful_set(3, deletionTimestamp="2026-01-01T00:00:00Z"), "kafka-4", False),
    ],
)
def test_only_a_node_beyond_a_set_that_stays_leaves(found: Any, pod: str, expected: bool) -> None:
    assert leaves(found, pod) is expected


class Quorums:
    """Controllers of which one leads. It refuses the first removal, as while another change is under way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, leader: str) -> None:
        self.voters, self._leader = [0, 1, 2, 3], leader
        self.asked: list[tuple[str, int, str]] = []
        monkeypatch.setattr(Environment, "connection", lambda _, host, port, timeout: SimpleNamespace(
            quorum=lambda: self._quorum(host), remove_voter=self._remove))  # fmt: skip
        monkeypatch.setattr(time, "sleep", lambda seconds: None)

    def _quorum(self, host: str) -> Quorum:
        if host != self._leader:
            raise WireError("not the leader")
        return Quorum(0, 1, tuple(Replica(voter, DIRECTORY, 0) for voter in self.voters))

    def _remove(self, cluster: str, node: int, directory: str) -> None:
        self.asked.append((cluster, node, directory))
        if len(self.asked) == 1:
            raise WireError("error 7")
        self.voters.remove(node)


class Api:
    """Answers with one StatefulSet, or not at all."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get(self, path: str) -> Any:
        assert path == "/apis/apps/v1/namespaces/streams/statefulsets/kafka"
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def node(folder: Path, *, controller: bool = True) -> Environment:
    """kafka-3 of four, whose disk is formatted."""
    found = environment(folder, "kafka-3", namespace="streams", brokers=5)
    found.logs.mkdir()
    (found.logs / "meta.properties").write_text(f"version=1\ndirectory.id={DIRECTORY}\n")
    controllers = (("kafka-0", 9093), ("kafka-1", 9093))
    return found._replace(node=found.node._replace(controller=controller), controllers=controllers)


def test_its_voter_is_removed_by_whichever_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quorums, leaving = Quorums(monkeypatch, leader="kafka-1"), node(tmp_path)
    leave(leaving, Api(stateful_set(3)))  # type: ignore[arg-type]
    assert quorums.voters == [0, 1, 2]
    assert quorums.asked == [(leaving.cluster_id, 3, DIRECTORY)] * 2


def test_a_disk_that_was_never_formatted_has_no_voter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quorums, leaving = Quorums(monkeypatch, leader="kafka-0"), node(tmp_path)
    (leaving.logs / "meta.properties").unlink()
    leave(leaving, Api(stateful_set(3)))  # type: ignore[arg-type]
    assert quorums.asked == []
    assert "leave: whether the voter is to be removed can't be told" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [stateful_set(5), ApiError(404, "there is none")])
def test_a_node_that_comes_back_keeps_its_voter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    quorums = Quorums(monkeypatch, leader="kafka-0")
    leave(node(tmp_path), Api(answer))  # type: ignore[arg-type]
    assert quorums.asked == []


def test_a_broker_has_no_voter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quorums = Quorums(monkeypatch, leader="kafka-0")
    leave(node(tmp_path, controller=False), Api(stateful_set(3)))  # type: ignore[arg-type]
    assert quorums.asked == []


def test_a_quorum_without_a_leader_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Quorums(monkeypatch, leader="nobody")
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    leave(node(tmp_path), Api(stateful_set(3)))  # type: ignore[arg-type]
    assert "voter 3 is still in the quorum: not the leader" in capsys.readouterr().out


@pytest.mark.parametrize("error", [0, 7])
def test_a_removal_is_asked_for_as_kafka_reads_it(error: int) -> None:
    """RemoveRaftVoter 0; the bytes are those of a real controller's answer."""
    requests: list[bytes] = []

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            requests.append(connection.recv(4096))
            (correlation,) = struct.unpack(">i", requests[0][8:12])
            answer = struct.pack(">i", correlation) + b"\0" + struct.pack(">ihbb", 0, error, 0, 0)
            connection.sendall(struct.pack(">i", len(answer)) + answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        connection = Connection("127.0.0.1", server.getsockname()[1], 5)
        if error:
            with pytest.raises(WireError, match="error 7"):
                connection.remove_voter("lab", 3, DIRECTORY)
        else:
            connection.remove_voter("lab", 3, DIRECTORY)
        connection.close()
        thread.join()
    api, version = struct.unpack(">hh", requests[0][4:8])
    assert (api, version) == (81, 0)
    assert requests[0].endswith(b"\x04lab" + struct.pack(">i", 3) + bytes(range(16)) + b"\0")
