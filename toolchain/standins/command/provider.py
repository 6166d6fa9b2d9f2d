"""The provider's protocol: what the engine asks, answered from the other modules."""

# The methods bear the protocol's names.
# ruff: noqa: N802

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from toolchain.standins.command import assets, diff
from toolchain.standins.command.inputs import INVOKE, RESOURCE, Execution, check, known_inputs
from toolchain.standins.command.runner import STOP_GRACE, CommandError, Commands
from toolchain.standins.plugin import EngineLog
from toolchain.standins.properties import UNKNOWN, Secret, Unknown, from_struct, to_struct

# The official plugin's version that this one stands in for.
VERSION: Final = "1.2.1"
COMMAND: Final = "command:local:Command"
RUN: Final = "command:local:run"

_REMOTE: Final = (
    "{token} needs the official command plugin: this stand-in runs local commands only. "
    "Install it with `pulumi plugin install resource command " + VERSION + "`."
)
_NO_SUCH: Final = "{token} is unknown to the command plugin; there are " + f"{COMMAND} and {RUN}"

_PropertyDiff = provider_pb2.PropertyDiff
_KINDS: Final = {
    (diff.Kind.ADD, False): _PropertyDiff.ADD,
    (diff.Kind.ADD, True): _PropertyDiff.ADD_REPLACE,
    (diff.Kind.DELETE, False): _PropertyDiff.DELETE,
    (diff.Kind.DELETE, True): _PropertyDiff.DELETE_REPLACE,
    (diff.Kind.UPDATE, False): _PropertyDiff.UPDATE,
    (diff.Kind.UPDATE, True): _PropertyDiff.UPDATE_REPLACE,
}


def _refused(what: str) -> Any:
    def method(self: Any, request: Any, context: grpc.ServicerContext) -> None:
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"this stand-in for the command plugin {what}; use the official one for that",
        )

    return method


class CommandProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one engine; calls run in threads, several at once."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._commands = Commands()

    def stop(self) -> None:
        """Stop every running command and wait for their ends."""
        self._commands.cancel()
        self._commands.wait(STOP_GRACE + 1)

    # --- The plugin itself

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ProviderHandshakeResponse:
        """Take the engine's address and say that secrets are understood."""
        if request.engine_address:
            self._log.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Use the engine at the given address."""
        self._log.connect(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the version stood in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Stop every running command."""
        self._commands.cancel()
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Accept the provider's configuration: there is none to speak of."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Find no difference between configurations."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        """Say what the provider understands."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # --- The resource

    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Check names and types of the inputs."""
        _expect_command(request, context)
        inputs = known_inputs(from_struct(request.news))
        failures = [
            provider_pb2.CheckFailure(property=failure.property, reason=failure.reason)
            for failure in check(inputs, RESOURCE)
        ]
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare inputs: triggers replace, everything else updates."""
        _expect_command(request, context)
        old = known_inputs(from_struct(request.old_inputs))
        changed = diff.changes(old, _news(request))
        detail = {
            path: provider_pb2.PropertyDiff(kind=_KINDS[kind, diff.replaces(path)]) for path, kind in changed.items()
        }
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if changed else response.DIFF_NONE,
            diffs=sorted(changed),
            replaces=sorted(filter(diff.replaces, changed)),
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Run `create`; in a preview its output is unknown."""
        _expect_command(request, context)
        inputs = known_inputs(from_struct(request.properties))
        if request.preview:
            outputs = {**inputs, "stdout": UNKNOWN, "stderr": UNKNOWN}
        else:
            outputs = {**inputs, "stdout": "", "stderr": ""}
            if "create" in inputs:
                outputs |= self._run(inputs["create"], inputs, {}, request, context)
        name = request.name or request.urn.rpartition("::")[2]
        return provider_pb2.CreateResponse(id=name + secrets.token_hex(4), properties=to_struct(outputs))

    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Run `update`, or `create` where there is no `update`."""
        _expect_command(request, context)
        state, inputs = from_struct(request.olds), _news(request)
        before: dict[str, Any] = {key: state[key] for key in ("stdout", "stderr", "assets", "archive") if key in state}
        outputs = {**inputs, **before}
        if request.preview:
            # As the official plugin: an output stays known while no input it had before has changed.
            if any(_is_news(inputs.get(key), state.get(key, inputs.get(key))) for key in RESOURCE):
                outputs |= dict.fromkeys(before, UNKNOWN)
        else:
            command = inputs.get("update", inputs.get("create"))
            if command is not None:
                outputs |= self._run(command, inputs, before, request, context)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Run `delete`, with the inputs of the last run."""
        _expect_command(request, context)
        state = from_struct(request.properties)
        if state.get("delete") is not None:
            self._run(state["delete"], state, state, request, context)
        return empty_pb2.Empty()

    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Return the state as it is: a command leaves nothing to look at."""
        _expect_command(request, context)
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    # --- The function

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Run a command at once, in previews too."""
        if request.tok != RUN:
            _refuse(request.tok, context)
        inputs = known_inputs(from_struct(request.args))
        failures = check(inputs, INVOKE)
        if "command" not in inputs:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{RUN} needs the argument command")
        if failures:
            return provider_pb2.InvokeResponse(
                failures=[provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in failures]
            )
        outputs = {**inputs, **self._run(inputs["command"], inputs, {}, request, context)}
        return provider_pb2.InvokeResponse(**{"return": to_struct(outputs)})  # type: ignore[arg-type]

    # --- What there is not

    GetSchema = _refused("has no schema")
    Parameterize = _refused("takes no parameters")
    Construct = _refused("has no components")
    Call = _refused("has no methods")

    def GetMapping(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetMappingResponse:
        """Return nothing: nothing is converted to commands."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetMappingsResponse:
        """Return nothing: nothing is converted to commands."""
        return provider_pb2.GetMappingsResponse()

    def _run(
        self,
        command: Any,
        inputs: Mapping[str, Any],
        previous: Mapping[str, Any],
        request: Any,
        context: grpc.ServicerContext,
    ) -> dict[str, Any]:
        execution = Execution.of(command, inputs, previous)
        urn = getattr(request, "urn", "")
        try:
            output = self._commands.run(
                execution, lambda line: self._log.status(line, urn), timeout=getattr(request, "timeout", 0)
            )
            found: dict[str, Any] = {"stdout": output.stdout, "stderr": output.stderr}
            if execution.asset_paths is not None:
                found["assets"] = assets.assets(execution.directory, execution.asset_paths)
            if execution.archive_paths is not None:
                found["archive"] = assets.archive(execution.directory, execution.archive_paths)
        except (CommandError, assets.GlobError, OSError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return found


def _news(request: Any) -> dict[str, Any]:
    """Return the new inputs; what is to be ignored keeps its value of the state."""
    news, state = known_inputs(from_struct(request.news)), from_struct(request.olds)
    return news | {name: state[name] for name in request.ignoreChanges if name in state}


def _is_news(new: Any, old: Any) -> bool:
    bare = new.value if isinstance(new, Secret) else new
    return isinstance(bare, Unknown) or bool(new != old)


def _expect_command(request: Any, context: grpc.ServicerContext) -> None:
    token = request.type or request.urn.split("::")[2].rpartition("$")[2]
    if token != COMMAND:
        _refuse(token, context)


def _refuse(token: str, context: grpc.ServicerContext) -> NoReturn:
    text = _REMOTE if token.startswith("command:remote:") else _NO_SUCH
    context.abort(grpc.StatusCode.UNIMPLEMENTED, text.format(token=token))
    raise AssertionError("abort does not return")
