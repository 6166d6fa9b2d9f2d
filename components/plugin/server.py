"""The plugin's process: what a program in another language asks for is made here, by the components as they are.

The SDK's server constructs components. Beside that this one serves our own resources, which are dynamic in a program in
Python.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from concurrent import futures
from typing import Any

import grpc
import grpc.aio
import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic import ResourceProvider
from pulumi.errors import InputPropertiesError, InputPropertyError
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import proto, rpc
from pulumi.runtime.proto import provider_pb2_grpc
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

import components.tls.resource  # noqa: F401, its provider is needed where nothing is constructed: by a destruction
from components.kinds import KINDS
from components.own_resource import PROVIDERS, OwnResource
from components.plugin.offered import OFFERED, PACKAGE, Offered
from components.plugin.schema import schema
from components.scripts.process import Refused
from components.settings_model import mistakes

_LATER = "its value is known only after a deployment, and settings are decided before. Write the value itself."


class Components(Provider):
    """Constructs components, and knows those that it made: one stands on another."""

    def __init__(self, version: str) -> None:
        super().__init__(version, json.dumps(schema(version)))
        self._made: dict[str, pulumi.Resource] = {}
        rpc.register_resource_module(PACKAGE, "index", _Made(self._made))

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Raises InputPropertiesError or InputPropertyError with what a user has to change."""
        offered = OFFERED[resource_type.rpartition(":")[2]]
        given = dict(inputs)
        on = [_standing_on(offered, given.pop(offered.on, None))] if offered.on else []
        try:
            made = offered.component(name, _settings(offered, given), *on, options)
        except pulumi.RunError as error:
            raise InputPropertiesError(str(error), []) from error  # without a list the SDK fails to tell it

        def remember(urn: str) -> str:
            self._made[urn] = made
            return urn

        state = {to_camel(output): getattr(made, output) for output in offered.outputs}
        return ConstructResult(made.urn.apply(remember), state)


class _Made(rpc.ResourceModule):
    """Gives the components that were made where inputs refer to them."""

    def __init__(self, made: Mapping[str, pulumi.Resource]) -> None:
        self._made = made

    def version(self) -> None:
        """Any."""

    def construct(self, name: str, typ: str, urn: str) -> pulumi.Resource:
        """Raises InputPropertiesError for one of another provider's."""
        if urn not in self._made:
            raise InputPropertiesError(f"{name} ({typ}) is not of this provider: give both the same, or none.", [])
        return self._made[urn]


class Server(ProviderServicer):
    """The SDK's, with our own resources."""

    @staticmethod
    async def _construct_inputs(inputs: struct_pb2.Struct, input_dependencies: Any) -> dict[str, Any]:
        given = await ProviderServicer._construct_inputs(inputs, input_dependencies)
        values = {name: pulumi.Output.from_input(value) for name, value in given.items()}
        if later := [name for name, value in values.items() if not await value.is_known()]:
            raise InputPropertiesError("", [{"property_path": name, "reason": _LATER} for name in later])
        return {name: _counted(await value.future()) for name, value in values.items()}

    # Not coroutines: each runs in a thread, as Kafka may take its time.

    def Check(self, request: Any, context: grpc.ServicerContext) -> proto.CheckResponse:  # noqa: D102, N802
        with _told(context):
            failures = _provider(request.urn).check(_plain(request.olds), _plain(request.news)).failures
        told = [proto.CheckFailure(property=one.property, reason=one.reason) for one in failures]
        return proto.CheckResponse(inputs=request.news, failures=told)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> proto.DiffResponse:  # noqa: D102, N802
        with _told(context):
            found = _provider(request.urn).diff(request.id, _plain(request.olds), _plain(request.news))
        changes = proto.DiffResponse.DIFF_SOME if found.changes else proto.DiffResponse.DIFF_NONE
        return proto.DiffResponse(changes=changes, replaces=found.replaces)

    def Create(self, request: Any, context: grpc.ServicerContext) -> proto.CreateResponse:  # noqa: D102, N802
        with _told(context):
            made = _provider(request.urn).create(_plain(request.properties))
        return proto.CreateResponse(id=made.id, properties=_struct(made.outs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> proto.ReadResponse:  # noqa: D102, N802
        with _told(context):
            found = _provider(request.urn).read(request.id, _plain(request.properties))
        now = found.inputs or {}
        inputs = _struct(now)
        for name, value in _plain(request.inputs).items():
            if name in now and now[name] == value:
                inputs[name] = request.inputs[name]  # as secret as it was
        return proto.ReadResponse(id=found.id or "", properties=_struct(found.outs), inputs=inputs)

    def Update(self, request: Any, context: grpc.ServicerContext) -> proto.UpdateResponse:  # noqa: D102, N802
        with _told(context):
            made = _provider(request.urn).update(request.id, _plain(request.olds), _plain(request.news))
        return proto.UpdateResponse(properties=_struct(made.outs))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: D102, N802
        with _told(context):
            _provider(request.urn).delete(request.id, _plain(request.properties))
        return empty_pb2.Empty()


def serve(version: str, engine: str) -> None:
    """Serves the engine at that address, until it ends this process."""
    OwnResource.in_plugin = True
    asyncio.run(_serve(version, engine))


async def _serve(version: str, engine: str) -> None:
    server = grpc.aio.server(futures.ThreadPoolExecutor())
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Server(Components(version), [], engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


def _standing_on(offered: Offered, given: Any) -> pulumi.Resource:
    wanted: type[pulumi.Resource] = OFFERED[offered.on_type].component
    if not isinstance(given, wanted):
        raise InputPropertyError(offered.on, f"a {offered.on_type} is needed")
    return given


def _settings(offered: Offered, given: Mapping[str, Any]) -> BaseModel:
    try:
        return offered.model(given).model_validate(given)
    except KeyError as error:
        raise InputPropertyError("kind", f"allowed are {', '.join(KINDS)}") from error
    except ValidationError as error:
        raise InputPropertiesError(
            f"the settings of {offered.name} can't be deployed",
            [{"property_path": ".".join(map(str, one["loc"])), "reason": one["msg"]} for one in mistakes(error)],
        ) from error


def _counted(value: Any) -> Any:
    """Every number comes as a float."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_counted(one) for one in value]
        case dict():
            return {name: _counted(one) for name, one in value.items()}
    return value


def _provider(urn: str) -> ResourceProvider:
    return PROVIDERS[urn.split("::")[2].rpartition("$")[2]]()


def _plain(properties: struct_pb2.Struct) -> dict[str, Any]:
    """Secrets in clear, as dynamic resources get them."""
    found = rpc.deserialize_properties(properties, keep_unknowns=True)
    return {name: rpc.unwrap_rpc_secret(value) for name, value in found.items()}


def _struct(properties: Mapping[str, Any] | None) -> struct_pb2.Struct:
    """What is secret in it is so by the resource's options."""
    struct = struct_pb2.Struct()
    struct.update(properties or {})
    return struct


@contextlib.contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """A refusal is a sentence."""
    try:
        yield
    except Refused as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
