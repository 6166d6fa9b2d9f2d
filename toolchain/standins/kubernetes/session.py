"""One configured provider: its settings and its cluster, if it can be reached."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

from toolchain.standins.kubernetes.cluster import Cluster
from toolchain.standins.kubernetes.connection import Connection, Target
from toolchain.standins.kubernetes.errors import PluginError
from toolchain.standins.kubernetes.lifecycle import Lifecycle
from toolchain.standins.kubernetes.objects import REPLACE_UNREADY, Object, field, is_true
from toolchain.standins.kubernetes.planning import Planner
from toolchain.standins.kubernetes.settings import Settings
from toolchain.standins.kubernetes.waiting import Waiter
from toolchain.standins.plugin import EngineLog

_WAY_OUT: Final = (
    "; if the cluster is gone for good, run this again with PULUMI_K8S_DELETE_UNREACHABLE=true, which only "
    "forgets the resource"
)


class Session:
    """The provider once configured. `cluster` is None when it can't be reached; then `unreachable` says why."""

    def __init__(self, settings: Settings, log: EngineLog, cancelled: threading.Event) -> None:
        self.settings = settings
        self.cluster: Cluster | None = None
        self.unreachable = ""
        self._log = log
        self._cancelled = cancelled
        self._warned = threading.Event()
        namespace = settings.namespace or "default"
        try:
            self.cluster = self._connect()
            namespace = self.cluster.connection.namespace
        except PluginError as error:
            self.unreachable = str(error)
        self.planner = Planner(settings, self.cluster, namespace)

    def _connect(self) -> Cluster:
        if self.settings.kubeconfig_unknown:
            raise PluginError("the kubeconfig is not known yet")
        target = Target(self.settings.kubeconfig, self.settings.context, self.settings.cluster, self.settings.namespace)
        if self.settings.timeout_seconds:
            target = Target(
                target.kubeconfig,
                target.context,
                target.cluster,
                target.namespace,
                self.settings.timeout_seconds,
            )
        connection = Connection(target)
        connection.request("GET", "/version")
        return Cluster(connection)

    @property
    def lifecycle(self) -> Lifecycle:
        """The operations on the cluster; raises PluginError, saying why, when it can't be reached."""
        if self.cluster is None:
            raise PluginError(f"the Kubernetes cluster is unreachable: {self.unreachable}{_WAY_OUT}")
        cluster = self.cluster

        def waiter(urn: str) -> Waiter:
            return Waiter(cluster, lambda line: self._log.status(line, urn), self._cancelled)

        return Lifecycle(cluster, self.settings, waiter)

    def job_ready(self, live: Object) -> bool:
        """Tell whether the Job is complete; true when no cluster can be asked."""
        return self.cluster is None or self.lifecycle.job_ready(live)

    def skips(self, urn: str) -> bool:
        """Tell whether a resource is left as it is, as the cluster can't be reached and the settings say so.

        Warns, once, of a cluster that can't be reached.
        """
        if self.cluster is not None or self.settings.kubeconfig_unknown:
            return False
        if not self._warned.is_set():
            self._warned.set()
            self._log.warning(f"the Kubernetes cluster is unreachable: {self.unreachable}", urn)
        return self.settings.skip_update_unreachable

    def gives_up(self, urn: str) -> bool:
        """Tell whether a resource of an unreachable cluster is to be forgotten; says so if it is."""
        if not self.settings.delete_unreachable:
            return False
        self._log.warning(f"forgotten, as the cluster is unreachable: {self.unreachable}", urn)
        return True

    def warn(self, urn: str, inputs: Mapping[str, Any]) -> None:
        """Warn of annotations that have no effect: helm hooks (unless suppressed), replaceUnready."""
        annotations = field(inputs, "metadata", "annotations")
        hooks = isinstance(annotations, Mapping) and any(k.startswith("helm.sh/hook") for k in annotations)
        if hooks and not self.settings.suppress_helm_hook_warnings:
            self._log.warning("this object has helm hooks, which Pulumi creates but does not run", urn)
        if is_true(inputs, REPLACE_UNREADY) and inputs.get("kind") != "Job":
            self._log.warning(f"the annotation {REPLACE_UNREADY} has an effect on Jobs only", urn)
