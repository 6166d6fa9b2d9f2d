"""What every kind of cluster brings: its settings, and a way to connect."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pulumi import Output, Resource
from pydantic import Field, field_validator

from components.kafka_settings import KafkaSettings, NodePool
from components.manifests import Manifest
from components.settings_model import DnsLabel, SettingsModel


class ClusterSettings(SettingsModel):
    """What all kinds have in common."""

    kind: str
    """Kind of cluster."""
    zones: Annotated[tuple[DnsLabel, ...], Field(min_length=1)] = ("zone-a", "zone-b", "zone-c")
    """Zones, as in the nodes' label topology.kubernetes.io/zone."""

    @field_validator("zones")
    @classmethod
    def _distinct(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(zones)) < len(zones):
            raise ValueError("each zone is named once")
        return zones


@dataclass(frozen=True)
class Connection:
    """A cluster that can be talked to."""

    kubeconfig: Output[str]
    """Secret, complete in itself."""
    identifier: str
    """Names the cluster: with another one, all that is on it is replaced."""
    lifetime: Resource | None = None
    """With this resource goes the cluster and all that is on it; None when the cluster outlives the stack."""
    local: bool = False
    """Whether it is on this machine: where such a cluster does not answer, it is gone."""
    ready: tuple[Resource, ...] = ()
    """What must be there before anything is put on it: nodes, drivers."""
    node_pool: NodePool | None = None
    """Nodes for Kafka alone."""
    storage_class: Manifest | None = None
    """Storage class for Kafka, still to be made."""
    context: str | None = None
    """Context in the kubeconfig; its current one when None."""
    simulated: bool = False
    """Whether pods only seem to run, so that no Kafka answers."""
    check: Callable[[KafkaSettings], None] | None = None
    """Looks whether such a Kafka can be had on it, before anything is made. Raises UnsafeSettings."""
    pods_know_their_zone: bool = False
    """Whether Kubernetes copies the node's zone to the pods' labels (KEP-4742: on from 1.35, behind a gate before)."""


S = TypeVar("S", bound=ClusterSettings)


@dataclass(frozen=True)
class Kind(Generic[S]):
    """A row of the table of kinds. `connect` takes a resource name, the settings and the parent of what it
    registers.
    """

    settings: type[S]
    connect: Callable[[str, S, Resource], Connection]
