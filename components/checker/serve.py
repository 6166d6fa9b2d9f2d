"""Answers the kubelet's probes. `http.server` would take twice the memory of all the rest."""

import contextlib
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

Answer = tuple[bool, str]
_SECONDS = 2.0
_LONGEST = 4096  # bytes of a request


def serve(port: int, pages: Mapping[str, Callable[[], Answer]]) -> None:
    """Answers 200 or 503 for each page, for ever."""
    with socket.create_server(("", port), backlog=16, reuse_port=False) as server:
        while True:
            connection, _ = server.accept()
            connection.settimeout(_SECONDS)
            with connection, contextlib.suppress(OSError):
                connection.sendall(_answer(connection.recv(_LONGEST), pages))


def _answer(request: bytes, pages: Mapping[str, Callable[[], Answer]]) -> bytes:
    parts = request.split(b" ", 2)
    page = pages.get(parts[1].decode(errors="replace")) if len(parts) > 2 and parts[0] == b"GET" else None
    if page is None:
        status, text = "404 Not Found", f"there are {', '.join(pages)}"
    else:
        good, text = page()
        status = "200 OK" if good else "503 Service Unavailable"
    body = f"{text}\n".encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def as_json(value: Any) -> str:
    """For people and programs that ask what a node sees."""
    return json.dumps(value, sort_keys=True)
