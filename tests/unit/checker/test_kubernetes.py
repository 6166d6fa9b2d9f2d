"""The client of the Kubernetes API, with HTTP in the place of HTTPS."""

import http.client
import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from components.checker import kubernetes
from components.checker.kubernetes import Api, ApiError


class Server(ThreadingHTTPServer):
    """`answer`: status and body of each answer. `got`: method, path, headers and body of the last request."""

    answer: tuple[int, bytes] = (200, b"{}")
    got: tuple[str, str, dict[str, str], bytes]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.got = self.command, self.path, dict(self.headers), body
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = _reply  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "token").write_text("the-token")
    monkeypatch.setattr(kubernetes, "_ACCOUNT", tmp_path)
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: None)

    def plain(host: str, port: int, timeout: float, context: None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(host, port, timeout=timeout)

    monkeypatch.setattr(http.client, "HTTPSConnection", plain)
    with Server(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.server_port))
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("act", "method", "content"),
    [("create", "POST", "json"), ("replace", "PUT", "json"), ("merge", "PATCH", "merge-patch+json")],
)
def test_requests(server: Server, act: str, method: str, content: str) -> None:
    server.answer = 200, b'{"kind": "Lease"}'
    assert getattr(Api(), act)("/apis/x", {"a": 1}) == {"kind": "Lease"}
    got_method, path, headers, body = server.got
    assert (got_method, path, json.loads(body)) == (method, "/apis/x", {"a": 1})
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer the-token", f"application/{content}")


def test_what_is_not_there(server: Server) -> None:
    server.answer = 404, json.dumps({"kind": "Status", "message": 'leases "kafka-stop" not found'}).encode()
    assert Api().find("/apis/x") is None
    with pytest.raises(ApiError, match='refuses GET /apis/x: leases "kafka-stop" not found') as refusal:
        Api().get("/apis/x")
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"message": "forbidden"}', "refuses GET /x: forbidden"),
        (b"<html>bad gateway</html>", "refuses GET /x: <html>bad gateway</html>"),
        (b"[1]", r"refuses GET /x: \[1\]"),
        (b"{}", "refuses GET /x: {}"),
        (b"\xff", "refuses GET /x: "),
    ],
)
def test_refusals_keep_their_status(server: Server, answer: bytes, words: str) -> None:
    server.answer = 403, answer
    for question in (Api().get, Api().find):
        with pytest.raises(ApiError, match=words) as refusal:
            question("/x")
        assert refusal.value.status == 403


def test_no_answer(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer = 200, b"{"
    with pytest.raises(ApiError, match="does not answer") as silence:
        Api().get("/x")
    assert silence.value.status == 0
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    with pytest.raises(ApiError, match=r"does not answer: .*refused"):
        Api().get("/x")
    (tmp_path / "token").unlink()
    with pytest.raises(ApiError, match="token"):
        Api().get("/x")
