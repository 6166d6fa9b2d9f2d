"""What goes over the wire to an API server, and what is made of its answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kubernetes import client
from websocket import ABNF, WebSocketTimeoutException

from drills.kubernetes import Answer, ApiFailed, ExecFailed, Kubernetes
from drills.lock import ClusterLeases, lease
from drills.pods import manifests
from tests.unit.drills_rim.test_lock import NOON


class Server:
    """Remembers the requests; answers with what was set for a path's end."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, Any]] = []
        self.answers: dict[str, tuple[int, Any]] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                path = self.path.partition("?")
                server.requests.append((self.command, self.path, self.headers.get("Content-Type") or "", body))
                nothing: tuple[int, Any] = (200, {})
                status, answer = next((one for end, one in server.answers.items() if path[0].endswith(end)), nothing)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _do  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


@pytest.fixture
def kubernetes(server: Server) -> Kubernetes:
    configuration: Any = client.Configuration()
    configuration.host = server.address
    configuration.retries = 0
    return Kubernetes(configuration)


def refusal(status: int, message: str) -> tuple[int, Any]:
    return status, {
        "kind": "Status",
        "status": "Failure",
        "code": status,
        "message": message,
        "reason": "TooManyRequests",
    }


def test_an_eviction_is_asked_for_as_kubectl_drain_does(server: Server, kubernetes: Kubernetes) -> None:
    assert kubernetes.evict("kafka", "kafka-1") == Answer(True, "")
    method, path, _, body = server.requests[-1]
    assert (method, path) == ("POST", "/api/v1/namespaces/kafka/pods/kafka-1/eviction")
    assert (body["apiVersion"], body["kind"], body["metadata"]["name"]) == ("policy/v1", "Eviction", "kafka-1")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(429, "Cannot evict pod as it would violate the pod's disruption budget."), False),
        (refusal(500, "This pod has more than one PodDisruptionBudget"), False),
        (refusal(404, "pods not found"), True),
    ],
)
def test_answers_to_an_eviction(server: Server, kubernetes: Kubernetes, answer: Any, expected: bool) -> None:
    server.answers["/eviction"] = answer
    found = kubernetes.evict("kafka", "kafka-1")
    assert found.granted is expected
    assert expected or found.message == answer[1]["message"]


def test_other_refusals_are_told_in_the_servers_words(server: Server, kubernetes: Kubernetes) -> None:
    server.answers["/eviction"] = refusal(403, "pods is forbidden")
    with pytest.raises(ApiFailed, match="pods is forbidden") as failure:
        kubernetes.evict("kafka", "kafka-1")
    assert failure.value.status == 403


def test_a_server_that_is_away_is_told(server: Server, kubernetes: Kubernetes) -> None:
    server.close()
    with pytest.raises(ApiFailed, match="does not answer") as failure:
        kubernetes.nodes()
    assert failure.value.status == 0


def test_changes_are_patches_of_the_right_kind(server: Server, kubernetes: Kubernetes) -> None:
    spec = {"selector": {}, "serviceName": "svc", "template": {}}
    server.answers["/statefulsets/kafka"] = (200, {"spec": spec})
    kubernetes.cordon("na", True)
    kubernetes.set_reclaim_policy("pv-1", "Retain")
    kubernetes.patch_template("kafka", "kafka", {"metadata": {"annotations": {"a": "b"}}})
    assert server.requests == [
        ("PATCH", "/api/v1/nodes/na", "application/merge-patch+json", {"spec": {"unschedulable": True}}),
        (
            "PATCH",
            "/api/v1/persistentvolumes/pv-1",
            "application/merge-patch+json",
            {"spec": {"persistentVolumeReclaimPolicy": "Retain"}},
        ),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/kafka/statefulsets/kafka",
            "application/strategic-merge-patch+json",
            {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}},
        ),
    ]


def test_the_drills_pod_arrives_as_it_is_written(server: Server, kubernetes: Kubernetes) -> None:
    wanted = manifests.pod("server", "k", "p", "t", "b")
    server.answers["/pods"] = (200, wanted)
    kubernetes.create_pod("kafka", wanted)
    kubernetes.create_config_map("kafka", manifests.config_map("a=b\n"))
    assert server.requests[0][3] == wanted
    assert server.requests[1][3] == manifests.config_map("a=b\n")


def test_deletions(server: Server, kubernetes: Kubernetes) -> None:
    kubernetes.delete_pod("kafka", "kafka-1", 0)
    kubernetes.delete_labelled("kafka", {"a": "b"})
    server.answers["/nodes/na"] = refusal(404, "not found")
    kubernetes.delete_node("na")
    assert [(method, path) for method, path, _, _ in server.requests] == [
        ("DELETE", "/api/v1/namespaces/kafka/pods/kafka-1?gracePeriodSeconds=0"),
        ("DELETE", "/api/v1/namespaces/kafka/pods?gracePeriodSeconds=0&labelSelector=a%3Db"),
        ("DELETE", "/api/v1/namespaces/kafka/configmaps?labelSelector=a%3Db"),
        ("DELETE", "/api/v1/nodes/na"),
    ]


def test_what_is_not_there_is_none(server: Server, kubernetes: Kubernetes) -> None:
    server.answers["/pods/kafka-1"] = refusal(404, "not found")
    assert kubernetes.pod("kafka", "kafka-1") is None


def test_objects_are_plain_data_as_the_api_writes_them(server: Server, kubernetes: Kubernetes) -> None:
    node = {
        "metadata": {"name": "na", "labels": {"topology.kubernetes.io/zone": "a"}},
        "spec": {"unschedulable": True},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "1"}],
        },
    }
    server.answers["/nodes"] = (200, {"kind": "NodeList", "items": [node], "metadata": {"resourceVersion": "1"}})
    assert kubernetes.nodes() == [node]


def test_leases_go_by_the_servers_clock_and_versions(server: Server, kubernetes: Kubernetes) -> None:
    leases = ClusterLeases(kubernetes)
    assert leases.now().tzinfo is not None
    held = lease("me", NOON, "7")
    server.answers["/leases/kafka-ha-drill"] = (200, held)
    assert leases.read()["spec"]["holderIdentity"] == "me"
    leases.replace(held)
    leases.delete(held)
    assert server.requests[-2][:2] == (
        "PUT",
        "/apis/coordination.k8s.io/v1/namespaces/default/leases/kafka-ha-drill",
    )
    assert server.requests[-2][3]["spec"]["renewTime"].startswith("2026-01-01T12:00:00")
    assert server.requests[-1][3] == {"preconditions": {"resourceVersion": "7"}}


class Streams:
    """Of a command that has ended."""

    def __init__(self, status: str, out: str = "", err: str = "") -> None:
        self.read_stdout, self.read_stderr = (lambda: out), (lambda: err)
        self.read_channel = {3: status}.__getitem__

    def is_open(self) -> bool:
        return False

    def close(self) -> None:
        pass


NOT_RUN = {
    "status": "Failure",
    "message": 'unable to upgrade connection: container not found ("kafka")',
    "details": {"causes": [{"message": 'unable to upgrade connection: container not found ("kafka")'}]},
}
FAILED = {
    "status": "Failure",
    "message": "command terminated with exit code 1",
    "details": {"causes": [{"reason": "ExitCode", "message": "1"}]},
}


@pytest.mark.parametrize(
    ("streams", "told"),
    [
        (Streams(json.dumps(NOT_RUN)), "tool in kafka-0/kafka: unable to upgrade connection: container not found"),
        (Streams(json.dumps(FAILED), err="no such topic\n"), "tool in kafka-0/kafka: no such topic"),
        (Streams(json.dumps(FAILED)), "tool in kafka-0/kafka: command terminated with exit code 1"),
        (Streams(""), "tool in kafka-0/kafka was cut off"),
    ],
)
def test_a_command_that_fails_in_a_pod(monkeypatch: pytest.MonkeyPatch, streams: Streams, told: str) -> None:
    kubernetes = Kubernetes(client.Configuration())
    monkeypatch.setattr(kubernetes, "open", lambda *_, **__: streams)
    with pytest.raises(ExecFailed) as error:
        kubernetes.exec("kafka", "kafka-0", "kafka", "tool")
    assert str(error.value).startswith(told)


def test_what_a_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    kubernetes = Kubernetes(client.Configuration())
    monkeypatch.setattr(kubernetes, "open", lambda *_, **__: Streams('{"status": "Success"}', "done\n"))
    assert kubernetes.exec("kafka", "kafka-0", "kafka", "tool") == "done\n"


class Frames:
    """A connection that has these frames; `None` is a second of silence."""

    def __init__(self, *frames: tuple[int, bytes] | None) -> None:
        self.sock, self._frames, self.closed = self, list(frames), False

    def settimeout(self, seconds: float) -> None:
        assert seconds == 1

    def recv_data_frame(self) -> tuple[int, ABNF]:
        frame = self._frames.pop(0)
        if frame is None:
            raise WebSocketTimeoutException
        return frame[0], ABNF(opcode=frame[0], data=frame[1])

    def close(self) -> None:
        self.closed = True


def test_what_a_command_goes_on_printing(monkeypatch: pytest.MonkeyPatch) -> None:
    binary = ABNF.OPCODE_BINARY
    frames = Frames((binary, b"\1one"), None, (binary, b"\2no"), (binary, b"\1two\n"), (ABNF.OPCODE_CLOSE, b""))
    kubernetes = Kubernetes(client.Configuration())
    monkeypatch.setattr(kubernetes, "open", lambda *_: frames)
    assert list(kubernetes.output("kafka", "drill", "producer", ["tail"])) == [b"one", b"", b"two\n"]
    assert frames.closed
