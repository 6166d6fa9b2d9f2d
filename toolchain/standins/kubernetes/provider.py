"""The provider protocol: engine's messages in, answers out; what to do is decided in the other modules."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from toolchain.standins.kubernetes import VERSION
from toolchain.standins.kubernetes.diff import Change
from toolchain.standins.kubernetes.errors import PluginError, Unsupported
from toolchain.standins.kubernetes.invokes import invoke
from toolchain.standins.kubernetes.naming import Urn, random_suffix
from toolchain.standins.kubernetes.outcome import IncompleteError
from toolchain.standins.kubernetes.session import Session
from toolchain.standins.kubernetes.settings import compare_settings, failures, read_settings
from toolchain.standins.plugin import EngineLog
from toolchain.standins.properties import from_struct, to_struct, without_secrets

_Method = TypeVar("_Method", bound=Callable[..., Any])

_KINDS = {
    (Change.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Change.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Change.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Change.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Change.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Change.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def _answering(method: _Method) -> _Method:
    """Turn the plugin's errors into gRPC errors: one sentence, and the state of half-made resources."""

    @functools.wraps(method)
    def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except IncompleteError as error:
            _abort_incomplete(context, error)
        except PluginError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return call  # type: ignore[return-value]


def _abort_incomplete(context: grpc.ServicerContext, error: IncompleteError) -> None:
    from google.rpc import status_pb2  # type: ignore[import-untyped]

    outcome = error.outcome
    detail = provider_pb2.ErrorResourceInitFailed(
        id=outcome.id, properties=to_struct(outcome.state), reasons=error.reasons
    )
    if outcome.inputs is not None:
        detail.inputs.CopyFrom(to_struct(outcome.inputs))
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one provider resource of a program: the engine starts one plugin for each."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._session: Session | None = None
        self._cancelled = threading.Event()

    def stop(self) -> None:
        """End every wait under way."""
        self._cancelled.set()

    @property
    def _configured(self) -> Session:
        if self._session is None:
            raise PluginError("the kubernetes plugin was asked before it was configured")
        return self._session

    # --- the plugin itself

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:  # noqa: N802
        """Agree with the engine on the features of the protocol."""
        if request.engine_address:
            self._log.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Take the engine's address, when the plugin was started by hand."""
        self._log.connect(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Tell the version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: N802
        """Give a schema without types: programs have them in their SDK."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "kubernetes", "version": VERSION}))

    def GetMapping(self, request: Any, context: Any) -> provider_pb2.GetMappingResponse:  # noqa: N802
        """Know no other tool's resources."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> provider_pb2.GetMappingsResponse:  # noqa: N802
        """Know no other tool's resources."""
        return provider_pb2.GetMappingsResponse()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """End every wait under way: what was made so far is kept in the state."""
        self.stop()
        return empty_pb2.Empty()

    # --- configuration

    @_answering
    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Refuse provider settings that are unknown or that the stand-in lacks."""
        found = [
            provider_pb2.CheckFailure(property=key, reason=reason)
            for key, reason in failures(from_struct(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=found)

    @_answering
    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Tell whether changed provider settings replace all that the provider made."""
        olds = from_struct(request.old_inputs if request.old_inputs.fields else request.olds)
        diff = compare_settings(olds, from_struct(request.news))
        return provider_pb2.DiffResponse(
            changes=_changes(bool(diff.changed)), diffs=diff.changed, replaces=diff.replaces
        )

    @_answering
    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Connect to the cluster; an unreachable one is an error only once it is needed."""
        prefix = "kubernetes:config:"
        inputs = from_struct(request.args) or {
            key.removeprefix(prefix): value for key, value in request.variables.items()
        }
        self._session = Session(read_settings(inputs), self._log, self._cancelled)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    # --- resources

    @_answering
    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Fill in what a resource's inputs leave open."""
        session, urn = self._configured, Urn.parse(request.urn)
        if session.skips(urn.text):
            return provider_pb2.CheckResponse(inputs=request.olds)
        options = request.autonaming if request.HasField("autonaming") else None

        def propose() -> str:
            if options is None or options.mode not in (
                provider_pb2.CheckRequest.AutonamingOptions.ENFORCE,
                provider_pb2.CheckRequest.AutonamingOptions.PROPOSE,
                provider_pb2.CheckRequest.AutonamingOptions.DISABLE,
            ):
                return f"{urn.name}-{random_suffix(request.randomSeed, urn.name)}"
            if options.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE:
                raise PluginError("autonaming is disabled for this resource: set metadata.name")
            return str(options.proposed_name)

        news = from_struct(request.news)
        inputs = session.planner.check(urn, from_struct(request.olds), news, propose)
        session.warn(urn.text, without_secrets(inputs))
        return provider_pb2.CheckResponse(inputs=to_struct(inputs))

    @_answering
    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Tell what new inputs change, and whether they replace the object."""
        session, urn = self._configured, Urn.parse(request.urn)
        plan = session.planner.plan(
            urn,
            from_struct(request.olds),
            from_struct(request.news),
            list(request.ignoreChanges),
            session.job_ready,
        )
        return provider_pb2.DiffResponse(
            changes=_changes(bool(plan.differences or plan.replaces)),
            diffs=list(dict.fromkeys(str(d.path[0]) for d in plan.differences)),
            replaces=plan.replaces,
            deleteBeforeReplace=plan.delete_before_replace,
            detailedDiff={
                d.text: provider_pb2.PropertyDiff(
                    kind=_KINDS[d.change, d.replaces], inputDiff=d.change is Change.DELETE
                )
                for d in plan.differences
            },
            hasDetailedDiff=True,
        )

    @_answering
    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:  # noqa: N802
        """Create the object and wait for it."""
        session, urn = self._configured, Urn.parse(request.urn)
        if request.preview and session.cluster is None:
            return provider_pb2.CreateResponse(properties=request.properties)
        made = session.lifecycle.create(urn, from_struct(request.properties), request.timeout, request.preview)
        return provider_pb2.CreateResponse(id=made.id, properties=to_struct(made.state))

    @_answering
    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Change the object and wait for it."""
        session, urn = self._configured, Urn.parse(request.urn)
        if request.preview and session.cluster is None:
            return provider_pb2.UpdateResponse(properties=request.news)
        made = session.lifecycle.update(
            urn,
            from_struct(request.olds),
            from_struct(request.news),
            request.timeout,
            request.preview,
            list(request.ignoreChanges),
        )
        return provider_pb2.UpdateResponse(properties=to_struct(made.state))

    @_answering
    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        """Read the object as it is now; an answer without id says that it is gone."""
        session, urn = self._configured, Urn.parse(request.urn)
        if session.cluster is None:
            if session.gives_up(urn.text):
                return provider_pb2.ReadResponse()
            if session.settings.skip_update_unreachable:
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        found = session.lifecycle.read(urn, request.id, from_struct(request.properties), from_struct(request.inputs))
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=found.id, properties=to_struct(found.state), inputs=to_struct(found.inputs or {})
        )

    @_answering
    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Delete the object and wait until it is gone."""
        session, urn = self._configured, Urn.parse(request.urn)
        if session.cluster is None and session.gives_up(urn.text):
            return empty_pb2.Empty()
        session.lifecycle.delete(urn, request.id, from_struct(request.properties), request.timeout)
        return empty_pb2.Empty()

    # --- functions and what is lacking

    @_answering
    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:  # noqa: N802
        """Call a function of the plugin."""
        namespaced = self._configured.planner.namespaced
        result = invoke(request.tok, without_secrets(from_struct(request.args)), namespaced)
        # The field's name is a keyword of Python.
        answer: dict[str, Any] = {"return": to_struct(result)}
        return provider_pb2.InvokeResponse(**answer)

    @_answering
    def Construct(self, request: Any, context: Any) -> provider_pb2.ConstructResponse:  # noqa: N802
        """Refuse components that the official plugin builds itself (helm, YAML files, kustomize)."""
        raise Unsupported(f"the component {request.type} (resource {request.name!r})")

    @_answering
    def Call(self, request: Any, context: Any) -> provider_pb2.CallResponse:  # noqa: N802
        """Refuse methods: no resource here has any."""
        raise Unsupported(f"the method {request.tok}")

    @_answering
    def Parameterize(self, request: Any, context: Any) -> provider_pb2.ParameterizeResponse:  # noqa: N802
        """Refuse packages made from custom resource definitions."""
        raise Unsupported("a package made from custom resource definitions", "use CustomResource instead")

    @_answering
    def List(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refuse listing, which only `pulumi query`-like tools ask for."""
        raise Unsupported(f"listing {request.token}")


def _changes(some: bool) -> Any:
    return provider_pb2.DiffResponse.DIFF_SOME if some else provider_pb2.DiffResponse.DIFF_NONE
