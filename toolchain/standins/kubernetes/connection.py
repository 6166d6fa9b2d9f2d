"""HTTP to one API server: JSON in, JSON out, refusals as errors."""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from toolchain.standins.kubernetes.errors import ApiError, PluginError, Unreachable
from toolchain.standins.kubernetes.kubeconfig import Kubeconfig, ambient_kubeconfig

APPLY_PATCH: Final = "application/apply-patch+yaml"
JSON_PATCH: Final = "application/json-patch+json"

_CONNECT_SECONDS: Final = 5.0
_DEFAULT_TIMEOUT_SECONDS: Final = 32.0
# Enough for the engine's parallelism; more would only wait at the API server.
_CONNECTIONS: Final = 32


@dataclass(frozen=True)
class Target:
    """Which cluster: a kubeconfig (None: the ambient one) and what overrides its choices; "" for no override."""

    kubeconfig: Kubeconfig | None
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS


class Connection:
    """A connection to one API server, safe to use from several threads."""

    def __init__(self, target: Target) -> None:
        """Read the kubeconfig; raises PluginError when it names no usable cluster. Nothing is sent yet."""
        # Imported here as it costs more than the rest of the start together.
        from kubernetes.client import Configuration
        from kubernetes.client.rest import RESTClientObject

        logging.getLogger("urllib3").setLevel(logging.ERROR)
        urllib3.disable_warnings()
        self._configuration = Configuration()
        self._configuration.connection_pool_maxsize = _CONNECTIONS
        self.namespace = self._load(target)
        self._pool: urllib3.PoolManager = RESTClientObject(self._configuration).pool_manager
        self._timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=target.timeout_seconds)

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self._configuration.host)

    def _load(self, target: Target) -> str:
        from kubernetes.config import ConfigException
        from kubernetes.config.kube_config import KubeConfigLoader

        kubeconfig = target.kubeconfig or ambient_kubeconfig()
        if kubeconfig is None:
            return self._load_from_pod(target.namespace)
        context_name = target.context or str(kubeconfig.content.get("current-context") or "")
        context = kubeconfig.named("contexts", "context", context_name)
        if context is None:
            known = ", ".join(kubeconfig.names("contexts")) or "none"
            raise PluginError(f"context {context_name!r} is not in the kubeconfig; it has: {known}")
        content = copy.deepcopy(dict(kubeconfig.content))
        if target.cluster:
            for entry in content.get("contexts", []):
                if entry.get("name") == context_name:
                    entry["context"]["cluster"] = target.cluster
        cluster_name = target.cluster or str(context.get("cluster") or "")
        if kubeconfig.named("clusters", "cluster", cluster_name) is None:
            known = ", ".join(kubeconfig.names("clusters")) or "none"
            raise PluginError(f"cluster {cluster_name!r} is not in the kubeconfig; it has: {known}")
        try:
            loader: Any = KubeConfigLoader  # its library has no types
            loader(content, context_name, config_base_path=kubeconfig.folder).load_and_set(self._configuration)
        except (ConfigException, OSError, ValueError) as error:
            raise PluginError(f"the kubeconfig cannot be used: {error}") from None
        return target.namespace or str(context.get("namespace") or "default")

    def _load_from_pod(self, namespace: str) -> str:
        from kubernetes.config import ConfigException
        from kubernetes.config.incluster_config import load_incluster_config

        if not os.environ.get("KUBERNETES_SERVICE_HOST"):
            raise PluginError(
                "no kubeconfig: set the provider's kubeconfig (path or content), KUBECONFIG, or ~/.kube/config"
            )
        try:
            load: Any = load_incluster_config  # its library has no types
            load(client_configuration=self._configuration)
        except ConfigException as error:
            raise PluginError(f"the pod's own service account cannot be used: {error}") from None
        return namespace or "default"

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """Send one request and return the answer's JSON.

        Raises ApiError for what the server refuses, Unreachable when it does not answer.
        """
        headers = {"Accept": "application/json", "User-Agent": "pulumi-kubernetes-standin"}
        token = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        if token:
            headers["Authorization"] = token
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body).encode()
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self._pool.request(
                method, url, body=data, headers=headers, timeout=self._timeout, retries=_retries(method)
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"the API server {self.server} does not answer: {_cause(error)}") from None
        if answer.status >= 400:
            raise _refusal(answer.status, answer.data)
        return json.loads(answer.data) if answer.data else None


def _retries(method: str) -> urllib3.Retry:
    # A dropped idle connection is worth another try; a read that timed out is not, for what writes.
    # A server that is asked too much says when to come back.
    return urllib3.Retry(
        total=4,
        connect=1,
        read=1 if method == "GET" else 0,
        redirect=0,
        status=4,
        other=0,
        status_forcelist=(429,),
        allowed_methods=None,
        raise_on_status=False,
    )


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).rsplit(": ", 1)[-1] if isinstance(reason, Exception) else str(reason)


def _refusal(code: int, data: bytes) -> ApiError:
    try:
        status = json.loads(data)
    except ValueError:
        status = {}
    if not isinstance(status, dict) or status.get("kind") != "Status":
        said = data.decode(errors="replace").strip()[:200]
        return ApiError(code, "", f"the API server answered {code}: {said}")
    message = str(status.get("message") or f"the API server answered {code}")
    return ApiError(code, str(status.get("reason") or ""), message, status.get("details"))
