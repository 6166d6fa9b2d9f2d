"""Kind `existing`: a cluster that is there already, by kubeconfig and context, looked at before anything is made."""

import os
from functools import partial
from pathlib import Path
from typing import Literal

import pulumi
from pulumi import Output, Resource

from components.kafka_settings import KafkaSettings
from components.kinds.kind import ClusterSettings, Connection, Kind
from components.kubectl import KubectlError, denied, get, nodes_by_zone
from components.prerequisites import denial, is_there, lacking, remarks, rights
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
    return Connection(
        kubeconfig=Output.secret(kubeconfig),
        identifier=f"existing-{path}-{settings.context or 'current'}",
        context=settings.context,
        check=partial(_check_kafka, kubeconfig, settings) if _zones_are_there(kubeconfig, settings) else None,
        pods_know_their_zone=settings.pod_zone_labels,
    )


def _zones_are_there(kubeconfig: str, settings: ExistingSettings) -> bool:
    """Raises UnsafeSettings when a zone has no node. False for a cluster that can't be asked in a preview: it is an
    error only where it matters, in `up`.
    """
    try:
        found = nodes_by_zone(kubeconfig, settings.context)
    except KubectlError as error:
        _unasked("the zones", error)
        return False
    if missing := [zone for zone in settings.zones if zone not in found]:
        there = ", ".join(sorted(found)) or "none: no node has the label topology.kubernetes.io/zone"
        raise UnsafeSettings(
            [
                f"kafka-ha:cluster.zones: got {', '.join(missing)}, but no node is there. The cluster's zones: "
                f"{there}. Name those, or label the nodes."
            ]
        )
    return True


def _check_kafka(kubeconfig: str, settings: ExistingSettings, kafka: KafkaSettings) -> None:
    """Nodes, storage and rights. What a Kafka that runs lacks is only told: an outage must not hold up its cure. So are
    rights in a preview, which needs none of them.
    """
    asked = rights(kafka, pods_know_their_zone=settings.pod_zone_labels)
    try:
        found = get(kubeconfig, settings.context, "nodes,storageclasses,statefulsets", f"--namespace={kafka.namespace}")
        lacked = denied(kubeconfig, settings.context, asked)
    except KubectlError as error:
        _unasked("nodes, storage and rights", error)
        return
    refused = lacking(kafka, settings.zones, found)
    told = remarks(kafka, settings.zones, found)
    if is_there(kafka, found):
        refused, told = [], [*refused, *told]
    if lacked:
        (told if pulumi.runtime.is_dry_run() else refused).append(denial(lacked, settings.context))
    for sentence in told:
        pulumi.log.warn(sentence)
    if refused:
        raise UnsafeSettings(refused)


def _unasked(what: str, error: KubectlError) -> None:
    message = f"kafka-ha:cluster: {what} could not be checked, the cluster does not answer: {error}"
    if not pulumi.runtime.is_dry_run():
        raise UnsafeSettings([f"{message} Check kubeconfig and context, and that you can reach it."]) from error
    pulumi.log.warn(message)


KIND = Kind(ExistingSettings, _connect)
