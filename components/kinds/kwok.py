"""Kind `kwok`: a simulated cluster. A real API server, scheduler and controllers over nodes that only the API knows."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pulumi import Resource
from pydantic import Field

from components.kinds.kind import Connection, Kind
from components.kinds.local import LocalSettings, connect_local
from components.manifests import HOST_LABEL, ZONE_LABEL
from components.quantities import Quantity, parse_quantity
from components.scripts.kwok_cluster import Kwok
from components.settings_model import DnsLabel

_STORAGE_CLASS = "zonal-local"


class KwokSettings(LocalSettings):
    """kwok's binary runtime; nothing runs on the nodes."""

    kind: Literal["kwok"]
    name: DnsLabel = "kafka-ha"
    nodes_per_zone: Annotated[int, Field(ge=1, le=50)] = 2
    """Nodes in each zone."""
    node_cpu: Quantity = parse_quantity("8")
    """CPU of each node."""
    node_memory: Quantity = parse_quantity("32Gi")
    """Memory of each node."""
    volumes_per_node: Annotated[int, Field(ge=1, le=20)] = 4
    """Ready-made volumes for each node: room for a controller and a broker with several volumes."""
    volume_size: Quantity = parse_quantity("100Gi")
    """Size of each of them."""
    volumes: Literal["node", "zone"] = "node"
    """Where a volume can be used: on one node, as a local disk, or on each node of its zone, as a disk of a cloud."""


def objects(settings: KwokSettings) -> list[dict[str, Any]]:
    """Nodes, their volumes and the storage class, as manifests. Pure."""
    return [_storage_class(), *(item for zone in settings.zones for item in _zone(zone, settings))]


def _zone(zone: str, settings: KwokSettings) -> Iterator[dict[str, Any]]:
    for node in (f"{zone}-{index}" for index in range(settings.nodes_per_zone)):
        yield _node(node, zone, settings)
        for volume in range(settings.volumes_per_node):
            place = (ZONE_LABEL, zone) if settings.volumes == "zone" else (HOST_LABEL, node)
            yield _volume(f"{node}-volume-{volume}", place, settings)


def _node(node: str, zone: str, settings: KwokSettings) -> dict[str, Any]:
    capacity = {"cpu": str(settings.node_cpu), "memory": str(settings.node_memory), "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node,
            "labels": {HOST_LABEL: node, ZONE_LABEL: zone, "kubernetes.io/os": "linux", "type": "kwok"},
            "annotations": {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
        },
        "status": {"capacity": capacity, "allocatable": capacity},
    }


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": _STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "allowVolumeExpansion": True,
        "volumeBindingMode": "WaitForFirstConsumer",  # the broker is scheduled first, its volume is where it landed
    }


def _volume(name: str, place: tuple[str, str], settings: KwokSettings) -> dict[str, Any]:
    """`place`: label, and its value, of the nodes that can use it."""
    key, value = place
    there = {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": str(settings.volume_size)},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": _STORAGE_CLASS,
            "local": {"path": f"/simulated/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [there]}},
        },
    }


def _connect(name: str, settings: KwokSettings, parent: Resource) -> Connection:
    return connect_local(name, settings, parent, Kwok, {"objects": objects(settings)}, simulated=True)


KIND = Kind(KwokSettings, _connect)
