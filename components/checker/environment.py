"""What the pod tells its containers, by environment variables; `manifests` sets them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .verdict import Node


@dataclass(frozen=True)
class Environment:
    """The pod that this runs in."""

    pod: str
    node: Node
    namespace: str
    stateful_set: str
    lease: str
    marks: str
    voters: str
    """Ids of the voters of a new quorum, separated by blanks."""
    controllers: tuple[tuple[str, int], ...]
    cluster_id: str
    kubernetes_node: str
    zone: str
    """As the pod's label tells; empty where the cluster does not label pods."""
    zones: tuple[str, ...]
    client_port: int
    health_port: int
    grace_period: float
    metadata_disk: Path
    disks: tuple[Path, ...]
    log_folder: str
    run: Path
    """Where the pod's containers tell each other things."""

    @property
    def meta_properties(self) -> Path:
        """The file by which Kafka knows its disk; there is none before the disk is formatted."""
        return self.metadata_disk / self.log_folder / "meta.properties"

    @classmethod
    def read(cls, values: Mapping[str, str] = os.environ) -> "Environment":
        """Raises KeyError where `manifests` left something out."""
        roles = values["ROLES"].split(",")
        addresses = (address.rpartition(":") for address in values["CONTROLLERS"].split(","))
        disks = tuple(Path(disk) for disk in values["DISKS"].split())
        return cls(
            pod=values["POD"],
            node=Node(
                id=int(values["FIRST_NODE_ID"]) + int(values["POD"].rpartition("-")[2]),
                broker="broker" in roles,
                controller="controller" in roles,
                min_isr=int(values["MIN_ISR"]),
            ),
            namespace=values["NAMESPACE"],
            stateful_set=values["POD"].rpartition("-")[0],
            lease=values["LEASE"],
            marks=values["MARKS"],
            voters=values["VOTERS"],
            controllers=tuple((host, int(port)) for host, _, port in addresses),
            cluster_id=values["CLUSTER_ID"],
            kubernetes_node=values["NODE_NAME"],
            zone=values.get("ZONE", ""),
            zones=tuple(values["ZONES"].split()),
            client_port=int(values["CLIENT_PORT"]),
            health_port=int(values["HEALTH_PORT"]),
            grace_period=float(values["GRACE_PERIOD"]),
            metadata_disk=disks[0],
            disks=disks,
            log_folder=values["LOG_FOLDER"],
            run=Path(values["RUN"]),
        )
