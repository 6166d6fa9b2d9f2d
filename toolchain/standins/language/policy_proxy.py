"""Stands between the engine and a policy pack, so that the pack's process starts knowing its stack.

The engine tells an analyzer its project, stack and configuration in a call; the Python policy SDK reads them
from its environment at start. So the engine is answered first, and the pack started after that call.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from pulumi.runtime.proto import analyzer_pb2

from toolchain.standins.plugin import CHANNEL_OPTIONS

_SERVICE = "/pulumirpc.Analyzer/"


class PolicyProxy(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A gRPC server that forwards every call to the pack, once there is one."""

    def __init__(self) -> None:
        self._configured = threading.Event()
        self._attached = threading.Event()
        self._configuration: bytes | None = None
        self._channel: grpc.Channel | None = None
        self._failure = ""
        self._server = grpc.server(ThreadPoolExecutor(max_workers=32), options=CHANNEL_OPTIONS)
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def environment(self, is_wanted: Callable[[], bool]) -> dict[str, str]:
        """Wait for the engine's configuration and return it as variables; nothing when there is none."""
        while not self._configured.wait(timeout=0.2) and is_wanted():
            pass
        if self._configuration is None:
            return {}
        said = analyzer_pb2.AnalyzerStackConfigureRequest.FromString(self._configuration)
        variables = {
            "PULUMI_ORGANIZATION": said.organization,
            "PULUMI_PROJECT": said.project,
            "PULUMI_STACK": said.stack,
            "PULUMI_DRY_RUN": "true" if said.dry_run else "false",
            "PULUMI_CONFIG": json.dumps(dict(said.config)) if said.config else "",
        }
        return {name: value for name, value in variables.items() if value}

    def attach(self, port: int) -> None:
        """Forward to the pack on the local `port` from now on; raises grpc.RpcError when it refuses."""
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)
        if self._configuration is not None:
            try:
                channel.unary_unary(_SERVICE + "ConfigureStack")(self._configuration)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNIMPLEMENTED:  # Older policy SDKs lack the call.
                    raise
        self._channel = channel
        self._attached.set()

    def fail(self, reason: str) -> None:
        """Answer waiting and later calls with an error."""
        self._failure = reason
        self._attached.set()

    def close(self) -> None:
        """Stop serving."""
        self.fail("the policy pack has ended")
        if self._channel:
            self._channel.close()
        self._server.stop(grace=0)

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler:
        """Return the handler of one call, for any method of the service."""
        method: str = handler_call_details.method
        if method == _SERVICE + "Handshake":
            return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")
        if method == _SERVICE + "ConfigureStack":
            return grpc.unary_unary_rpc_method_handler(self._configure)
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._forward(method, request, context))

    def _configure(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._configuration = request
        self._configured.set()
        return b""

    def _forward(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        # A call before any configuration (`pulumi policy publish`) means that none will come.
        self._configured.set()
        while not self._attached.wait(timeout=0.2):
            if not context.is_active():
                return b""
        channel = self._channel
        if self._failure or channel is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, self._failure)
            raise AssertionError("abort does not return")
        try:
            answer: bytes = channel.unary_unary(method)(request)
        except grpc.RpcError as error:
            _pass_on(error, context)
        return answer


def _pass_on(error: Any, context: grpc.ServicerContext) -> None:
    details: Sequence[tuple[str, Any]] = error.trailing_metadata() or ()
    context.set_trailing_metadata(tuple(details))
    context.abort(error.code(), error.details())
