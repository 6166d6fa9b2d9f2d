"""What the pod tells its containers, by environment variables, which `manifests` sets, and by files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .verdict import Node
from .wire import Connection, Tls

_OWN = "127.0.0.1"


class Environment(NamedTuple):
    """The pod that this runs in."""

    pod: str
    node: Node
    namespace: str
    stateful_set: str
    lease: str
    marks: str
    voters: str
    """Of a new quorum, as `kafka-storage.sh format --initial-controllers` takes them."""
    controllers: tuple[tuple[str, int], ...]
    cluster_id: str
    kubernetes_node: str
    zone: str
    """As the pod's label tells; empty where the cluster does not label pods."""
    zones: tuple[str, ...]
    broker_port: int
    """Of the broker's listener for brokers, and for us."""
    health_port: int
    grace_period: float
    """Seconds."""
    disks: tuple[Path, ...]
    """The metadata log is on the first."""
    log_folder: str
    run: Path
    """Where the pod's containers tell each other things."""
    agent_url: str = ""
    """Of the agent that exports metrics; empty without metrics."""
    agent_sha256: str = ""
    agent_options: str = ""
    tls: str = ""
    """Folder of the nodes' certificate; empty where nothing is encrypted."""
    domain: str = ""
    """Of the nodes' names, of which the certificate is."""

    @property
    def start(self) -> Path:
        """What `prepare` tells start.sh."""
        return self.run / "start"

    @property
    def stopping(self) -> Path:
        """There from when the preStop hook asks for a stop, until Kafka starts again."""
        return self.run / "stopping"

    @property
    def may_stop(self) -> Path:
        """What the hook waits for."""
        return self.run / "may-stop"

    @property
    def must_stop(self) -> Path:
        """By this start.sh kills Kafka, once that was asked to end."""
        return self.run / "must-stop"

    @property
    def logs(self) -> Path:
        """The folder of the metadata log and of what Kafka keeps beside it."""
        return self.disks[0] / self.log_folder

    def connection(self, host: str, port: int, seconds: float) -> Connection:
        """To a listener of this node, or of another; `seconds` for an answer."""
        if not self.tls:
            return Connection(host, port, seconds)
        name = f"{self.pod}.{self.domain}" if host == _OWN else host.rstrip(".")
        return Connection(host, port, seconds, Tls(self.tls, name))

    def own_connection(self, seconds: float) -> Connection:
        """To the broker of this node, or, where it is none, to its controller."""
        port = self.broker_port if self.node.broker else self.controllers[0][1]
        return self.connection(_OWN, port, seconds)

    def properties(self) -> dict[str, str] | None:
        """Kafka's meta.properties, by which it knows its disk; None before the disk is formatted. Raises OSError."""
        try:
            text = (self.logs / "meta.properties").read_text(errors="replace")
        except FileNotFoundError:
            return None
        lines = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
        return {key.strip(): value.strip() for key, _, value in lines}

    @classmethod
    def read(cls, values: Mapping[str, str] = os.environ) -> "Environment":
        """Raises KeyError where `manifests` left something out."""
        pod, roles = values["POD"], values["ROLES"].split(",")
        addresses = (address.rpartition(":") for address in values["CONTROLLERS"].split(","))
        return cls(
            pod=pod,
            node=Node(
                id=int(values["FIRST_NODE_ID"]) + int(pod.rpartition("-")[2]),
                broker="broker" in roles,
                controller="controller" in roles,
                min_isr=int(values["MIN_ISR"]),
            ),
            namespace=values["NAMESPACE"],
            stateful_set=pod.rpartition("-")[0],
            lease=values["LEASE"],
            marks=values["MARKS"],
            voters=values["VOTERS"],
            controllers=tuple((_found(host, pod), int(port)) for host, _, port in addresses),
            cluster_id=values["CLUSTER_ID"],
            kubernetes_node=values["NODE_NAME"],
            zone=values.get("ZONE", ""),
            zones=tuple(values["ZONES"].split()),
            broker_port=int(values["BROKER_PORT"]),
            health_port=int(values["HEALTH_PORT"]),
            grace_period=float(values["GRACE_PERIOD"]),
            disks=tuple(Path(disk) for disk in values["DISKS"].split()),
            log_folder=values["LOG_FOLDER"],
            run=Path(values["RUN"]),
            agent_url=values.get("AGENT_URL", ""),
            agent_sha256=values.get("AGENT_SHA256", ""),
            agent_options=values.get("AGENT_OPTIONS", ""),
            tls=values.get("TLS", ""),
            domain=values.get("DOMAIN", ""),
        )


def _found(host: str, pod: str) -> str:
    """A host with as little DNS as can be: none for the pod itself; a dot at the end makes it the whole name, so that
    no search domain is tried first.
    """
    return _OWN if host.startswith(f"{pod}.") else f"{host}."
