"""What the kubelet gets for an answer, whoever else connects."""

import socket
import struct
import threading
import time

import pytest

from components.checker.serve import Answer, listen, serve


class Node:
    def __init__(self) -> None:
        self.state: Answer = (True, "in sync")

    def ready(self) -> Answer:
        return self.state


@pytest.fixture(scope="module")
def node() -> Node:
    return Node()


@pytest.fixture(scope="module")
def port(node: Node) -> int:
    server, pages = listen(0), {"/ready": node.ready, "/status": lambda: (True, "{}")}
    threading.Thread(target=serve, args=(server, pages), daemon=True).start()
    return int(server.getsockname()[1])


def ask(port: int, request: bytes, host: str = "127.0.0.1") -> bytes:
    with socket.create_connection((host, port), 2) as client:
        client.sendall(request)
        answer = b""
        while part := client.recv(4096):
            answer += part
        return answer


PROBE = b"GET /ready HTTP/1.1\r\nHost: 10.42.0.7:9094\r\nUser-Agent: kube-probe/1.34\r\nConnection: close\r\n\r\n"

TYPE = b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ((True, "in sync"), b"HTTP/1.1 200 OK\r\n" + TYPE + b"Content-Length: 8\r\nConnection: close\r\n\r\nin sync\n"),
        (
            (False, "voter 0 lags 12 s behind the leader"),
            b"HTTP/1.1 503 Service Unavailable\r\n" + TYPE + b"Content-Length: 36\r\nConnection: close\r\n\r\n"
            b"voter 0 lags 12 s behind the leader\n",
        ),
    ],
)
def test_a_probe(node: Node, port: int, state: Answer, answer: bytes) -> None:
    node.state = state
    assert ask(port, PROBE) == answer


def test_a_timeout_that_kubectl_adds_is_no_other_page(port: int) -> None:
    assert ask(port, PROBE.replace(b"/ready", b"/ready?timeout=5s")) == ask(port, PROBE)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /ready HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET",
        b"\xff \xff \xff",
        b" ",
    ],
)
def test_other_requests(port: int, request_: bytes) -> None:
    assert ask(port, request_).startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert ask(port, request_).endswith(b"there are /ready, /status\n")


def test_ipv6(port: int) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    try:
        assert b"HTTP/1.1" in ask(port, PROBE, "::1")
    except OSError:
        pytest.skip("the loopback has no IPv6 address")


def test_clients_that_say_nothing_make_no_probe_late(port: int) -> None:
    idle = [socket.create_connection(("127.0.0.1", port), 2) for _ in range(40)]
    begun = time.monotonic()
    assert ask(port, PROBE).startswith(b"HTTP/1.1 ")
    assert time.monotonic() - begun < 0.5
    idle[0].settimeout(2)
    assert idle[0].recv(1) == b""  # of too many the first is closed
    idle[-1].sendall(PROBE)
    assert idle[-1].recv(4096).startswith(b"HTTP/1.1 ")
    for client in idle:
        client.close()


def test_clients_that_are_gone_do_no_harm(port: int) -> None:
    for rude in (b"", PROBE):
        client = socket.create_connection(("127.0.0.1", port), 2)
        client.sendall(rude)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # a reset
    assert ask(port, PROBE).startswith(b"HTTP/1.1 ")


def test_a_port_that_is_taken_is_told(port: int) -> None:
    with pytest.raises(OSError, match="in use"):
        listen(port)
