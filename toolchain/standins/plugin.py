"""What every plugin does: serve gRPC on a free local port, tell the engine which, log through the engine.

The engine starts a plugin with its own address as an argument, reads the plugin's port from the first line of
standard output, and later cancels and kills it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

# The engine's own limit: a single message may hold a large state.
MAX_MESSAGE_BYTES = 400 * 1024 * 1024
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
]


def engine_address(argv: Sequence[str]) -> str | None:
    """Return the engine's `host:port` among the arguments, None when a person started the plugin by hand."""
    return next((arg for arg in argv if not arg.startswith("-") and ":" in arg), None)


class EngineLog:
    """Sends log lines and status messages to the engine; without an engine they go to standard error."""

    def __init__(self, address: str | None = None) -> None:
        self._engine: engine_pb2_grpc.EngineStub | None = None
        if address:
            self.connect(address)

    def connect(self, address: str) -> None:
        """Send to the engine at `address` (`host:port`) from now on."""
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address, options=CHANNEL_OPTIONS))

    def status(self, message: str, urn: str = "") -> None:
        """Show a passing message beside the resource, until the next one replaces it."""
        self._send(engine_pb2.INFO, message, urn, ephemeral=True)

    def warning(self, message: str, urn: str = "") -> None:
        """Log a warning: the operation goes on."""
        self._send(engine_pb2.WARNING, message, urn)

    def _send(
        self, severity: engine_pb2.LogSeverity.ValueType, message: str, urn: str, ephemeral: bool = False
    ) -> None:
        if self._engine is None:
            if not ephemeral:
                print(message, file=sys.stderr, flush=True)
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        # An engine that is going away takes no more log lines; the operation's own answer matters.
        with contextlib.suppress(grpc.RpcError):
            self._engine.Log(request, timeout=10)


def serve(
    register: Callable[[grpc.Server], None],
    *,
    workers: int = 64,
    on_stop: Callable[[], None] | None = None,
) -> None:
    """Serve what `register` adds to the server, print the port, and return when the engine is gone.

    "Gone" is SIGTERM, SIGINT, or another parent process. `workers` bounds the calls served at once; `on_stop`
    is called once, before the server stops, to interrupt waiting calls.
    """
    server = grpc.server(ThreadPoolExecutor(max_workers=workers), options=CHANNEL_OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    if not port:
        raise SystemExit("cannot listen on 127.0.0.1: no local port could be bound")
    server.start()

    stopped = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stopped.set())
    print(port, flush=True)

    parent = os.getppid()
    while not stopped.wait(timeout=2):
        if os.getppid() != parent:
            break
    if on_stop:
        on_stop()
    server.stop(grace=1).wait()
    # Worker threads may still hang in a call to a cluster that does not answer; nothing is left to save.
    sys.stdout.flush()
    os._exit(0)
