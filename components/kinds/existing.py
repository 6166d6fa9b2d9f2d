"""Kind `existing`: a cluster that is there already, by kubeconfig and context; its zones are checked."""

import os
from pathlib import Path
from typing import Literal

import pulumi
from pulumi import Output, Resource

from components.kinds.kind import ClusterSettings, Connection, Kind
from components.kubectl import KubectlError, nodes_by_zone
from components.refusal import UnsafeSettings


class ExistingSettings(ClusterSettings):
    """A cluster that outlives the stack."""

    kind: Literal["existing"]
    kubeconfig: str | None = None
    """Path of the kubeconfig; $KUBECONFIG, else ~/.kube/config, when unset."""
    context: str | None = None
    """Context in it; its current one when unset."""
    pod_zone_labels: bool = False
    """Whether pods get their node's zone as a label (KEP-4742, on from Kubernetes 1.35); else Kafka's pods may
    read nodes.
    """


def _connect(name: str, settings: ExistingSettings, parent: Resource) -> Connection:
    path = Path(settings.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    try:
        kubeconfig = path.read_text()
    except OSError as error:
        raise UnsafeSettings(
            [
                f"kafka-ha:cluster.kubeconfig: got {path}, which can't be read ({error.strerror}). Give the path of a "
                "kubeconfig, or set KUBECONFIG."
            ]
        ) from error
    _check_zones(kubeconfig, settings)
    return Connection(
        kubeconfig=Output.secret(kubeconfig),
        identifier=f"existing-{path}-{settings.context or 'current'}",
        context=settings.context,
        pods_know_their_zone=settings.pod_zone_labels,
    )


def _check_zones(kubeconfig: str, settings: ExistingSettings) -> None:
    """Raises UnsafeSettings when a zone has no node; a cluster that can't be asked is an error only where it
    matters, in `up`.
    """
    try:
        found = nodes_by_zone(kubeconfig, settings.context)
    except KubectlError as error:
        message = f"kafka-ha:cluster: the zones could not be checked, the cluster does not answer: {error}"
        if not pulumi.runtime.is_dry_run():
            raise UnsafeSettings([f"{message} Check kubeconfig and context, and that you can reach it."]) from error
        pulumi.log.warn(message)
        return
    if missing := [zone for zone in settings.zones if zone not in found]:
        there = ", ".join(sorted(found)) or "none: no node has the label topology.kubernetes.io/zone"
        raise UnsafeSettings(
            [
                f"kafka-ha:cluster.zones: got {', '.join(missing)}, but no node is there. The cluster's zones: "
                f"{there}. Name "
                "those, or label the nodes."
            ]
        )


KIND = Kind(ExistingSettings, _connect)
