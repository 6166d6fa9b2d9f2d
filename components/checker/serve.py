"""Answers the kubelet's probes. `http.server` would take twice the memory of all the rest."""

import contextlib
import select
import socket
from collections.abc import Callable, Mapping

Answer = tuple[bool, str]
_LONGEST = 4096  # bytes of a request
_MOST = 16  # clients that have connected and asked nothing yet


def listen(port: int) -> socket.socket:
    """A socket for every address of the pod, IPv6 too."""
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    return socket.create_server(("", port), family=family, backlog=_MOST, dualstack_ipv6=dual)


def serve(server: socket.socket, pages: Mapping[str, Callable[[], Answer]]) -> None:
    """Answers 200 or 503 for each page, for ever. It waits for no client, so that one which says nothing makes no probe
    late; of too many such, the first is closed.
    """
    waiting: list[socket.socket] = []
    while True:
        for ready in select.select([server, *waiting], [], [])[0]:
            with contextlib.suppress(OSError):
                if ready is server:
                    waiting.append(server.accept()[0])
                    continue
                waiting.remove(ready)
                with ready:
                    ready.setblocking(False)
                    ready.sendall(_answer(ready.recv(_LONGEST), pages))
        for idle in waiting[:-_MOST]:
            idle.close()
        del waiting[:-_MOST]


def _answer(request: bytes, pages: Mapping[str, Callable[[], Answer]]) -> bytes:
    parts = request.split(b" ", 2)
    asked = parts[1].partition(b"?")[0] if len(parts) > 2 and parts[0] == b"GET" else b""  # kubectl adds a timeout
    page = pages.get(asked.decode(errors="replace"))
    if page is None:
        status, text = "404 Not Found", f"there are {', '.join(pages)}"
    else:
        good, text = page()
        status = "200 OK" if good else "503 Service Unavailable"
    body = f"{text}\n".encode()
    # Prometheus 3 takes nothing without a type; it is that of its text format.
    kind = "Content-Type: text/plain; version=0.0.4; charset=utf-8"
    return f"HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
