"""Plays the engine's part: drives the plugin's process over gRPC as `pulumi up` does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from toolchain.standins.plugin import CHANNEL_OPTIONS
from toolchain.standins.properties import from_struct, to_struct, without_secrets

ROOT = Path(__file__).resolve().parents[4]
PROVIDER_URN = "urn:pulumi:test::kafka-ha::pulumi:providers:kubernetes::cluster"


class PluginProcess:
    """The plugin as the engine starts it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "toolchain.standins.kubernetes"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=CHANNEL_OPTIONS)
        self.stub = provider_pb2_grpc.ResourceProviderStub(channel)

    def configure(self, **inputs: Any) -> None:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=to_struct(inputs), acceptSecrets=True))

    def check_config(self, **inputs: Any) -> dict[str, str]:
        answer = self.stub.CheckConfig(provider_pb2.CheckRequest(urn=PROVIDER_URN, news=to_struct(inputs)))
        return {f.property: f.reason for f in answer.failures}

    def diff_config(self, olds: dict[str, Any], news: dict[str, Any]) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(
            urn=PROVIDER_URN, olds=to_struct(olds), old_inputs=to_struct(olds), news=to_struct(news)
        )
        answer: provider_pb2.DiffResponse = self.stub.DiffConfig(request)
        return answer

    def stop(self) -> str:
        self.process.terminate()
        return self.process.communicate(timeout=20)[1]


@dataclass
class Resource:
    """One resource of a program, with the state that the engine would keep."""

    plugin: PluginProcess
    type: str
    name: str
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::kafka-ha::{self.type}::{self.name}"

    @property
    def plain(self) -> dict[str, Any]:
        """The state without its secrets' marks."""
        plain: dict[str, Any] = without_secrets(self.state)
        return plain

    def check(self, inputs: dict[str, Any], *, anew: bool = False) -> dict[str, Any]:
        answer = self.plugin.stub.Check(
            provider_pb2.CheckRequest(urn=self.urn, olds=to_struct({} if anew else self.inputs), news=to_struct(inputs))
        )
        return from_struct(answer.inputs)

    def diff(self, inputs: dict[str, Any], ignore: list[str] | None = None) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(
            id=self.id,
            urn=self.urn,
            olds=to_struct(self.state),
            old_inputs=to_struct(self.inputs),
            news=to_struct(self.check(inputs)),
            ignoreChanges=ignore or [],
        )
        answer: provider_pb2.DiffResponse = self.plugin.stub.Diff(request)
        return answer

    def changed(self, inputs: dict[str, Any]) -> dict[str, str]:
        """The paths that would change and how."""
        answer = self.diff(inputs)
        return {path: provider_pb2.PropertyDiff.Kind.Name(diff.kind) for path, diff in answer.detailedDiff.items()}

    def create(self, inputs: dict[str, Any], *, timeout: float = 0, preview: bool = False) -> dict[str, Any]:
        checked = self.check(inputs)
        answer = self.plugin.stub.Create(
            provider_pb2.CreateRequest(urn=self.urn, properties=to_struct(checked), timeout=timeout, preview=preview)
        )
        if preview:
            return from_struct(answer.properties)
        self.id, self.inputs, self.state = answer.id, checked, from_struct(answer.properties)
        return self.plain

    def update(
        self,
        inputs: dict[str, Any],
        *,
        timeout: float = 0,
        preview: bool = False,
        ignore: list[str] | None = None,
    ) -> dict[str, Any]:
        checked = self.check(inputs)
        answer = self.plugin.stub.Update(
            provider_pb2.UpdateRequest(
                id=self.id,
                urn=self.urn,
                olds=to_struct(self.state),
                old_inputs=to_struct(self.inputs),
                news=to_struct(checked),
                timeout=timeout,
                preview=preview,
                ignoreChanges=ignore or [],
            )
        )
        if preview:
            return from_struct(answer.properties)
        self.inputs, self.state = checked, from_struct(answer.properties)
        return self.plain

    def refresh(self) -> bool:
        """Read the object; False when it is gone."""
        answer = self.plugin.stub.Read(
            provider_pb2.ReadRequest(
                id=self.id, urn=self.urn, properties=to_struct(self.state), inputs=to_struct(self.inputs)
            )
        )
        if answer.id:
            self.id = answer.id
            self.state, self.inputs = from_struct(answer.properties), from_struct(answer.inputs)
        return bool(answer.id)

    def delete(self, *, timeout: float = 0) -> None:
        self.plugin.stub.Delete(
            provider_pb2.DeleteRequest(id=self.id, urn=self.urn, properties=to_struct(self.state), timeout=timeout)
        )


def incomplete(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed:
    """The half-made resource that an error carries."""
    assert isinstance(error, grpc.Call)
    data = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(data)
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    return detail


def message(error: grpc.RpcError) -> str:
    """What the user would read."""
    assert isinstance(error, grpc.Call)
    return str(error.details())
