"""A loopback HTTP server that plays a mirror of official releases, with the faults that networks have."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Mirror:
    """`files`: path → content. `break_at`: path → how many bytes are sent before the connection is cut, once.
    `requests`: what was asked, with the Range header. `ranges`: whether Range is understood.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    break_at: dict[str, int] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    ranges: bool = True

    def publish(self, path: str, content: bytes, checksum_path: str | None = None) -> None:
        """Puts a file there, with a list of its SHA-256 beside it."""
        self.files[path] = content
        digest = hashlib.sha256(content).hexdigest()
        self.files[checksum_path or f"{path}.sha256"] = f"{digest}  {path.rsplit('/', 1)[-1]}\n".encode()

    def asked(self, path: str) -> list[str | None]:
        """The Range headers of the requests for `path`."""
        return [wanted for asked, wanted in self.requests if asked == path]


def _handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            mirror.requests.append((self.path, wanted))
            content = mirror.files.get(self.path)
            status = mirror.status.get(self.path, 200 if content is not None else 404)
            if content is None or status != 200:
                self.send_error(status)
                return
            start = 0
            if wanted and mirror.ranges:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            rest = content[start:]
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            cut = mirror.break_at.pop(self.path, None)
            self.wfile.write(rest if cut is None else rest[:cut])

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def mirror() -> Iterator[Mirror]:
    """Serves on a free port of 127.0.0.1 until the block ends."""
    served = Mirror()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
