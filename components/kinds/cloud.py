"""What the kinds `eks`, `gke` and `aks` share: their settings, and what Kafka gets of each of them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pulumi import Output, Resource
from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from components.kafka_settings import NodePool, Properties, Toleration
from components.kinds.kind import ClusterSettings, Connection
from components.manifests import Manifest
from components.refusal import UnsafeSettings
from components.settings_model import DnsLabel

POOL = ("dedicated", "kafka")
"""Label and taint of the nodes that are for Kafka alone."""
STORAGE_CLASS = "kafka-ssd"

_OLDEST = (1, 29)
_POD_ZONE_LABELS = (1, 35)


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError("a range is written such as 203.0.113.0/24, without bits beyond its mask") from error


Range = Annotated[str, AfterValidator(_network)]
"""Addresses, in CIDR notation."""


class CloudSettings(ClusterSettings):
    """A cluster of a cloud's own Kubernetes service: a pool of nodes for Kafka, and one for all else, in each zone."""

    ZONE: ClassVar[re.Pattern[str]]
    """A zone's name, which holds its region's."""
    EXAMPLE: ClassVar[str]

    name: Annotated[DnsLabel, StringConstraints(max_length=30)] = "kafka-ha"
    """Name of the cluster."""
    zones: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """Zones, as in the nodes' label topology.kubernetes.io/zone; the region follows from them."""
    version: str = "1.35"
    """Kubernetes version, in quotes: raised by one minor version at a time, never lowered."""
    private_api: bool = False
    """Whether the API has no public address: then `pulumi up` must run within the network."""
    api_ranges: Annotated[tuple[Range, ...], Field(validate_default=True)] = ()
    """Ranges of addresses that may reach the API; needed unless `privateApi`."""
    machine: str
    """Machine type of Kafka's nodes."""
    nodes_per_zone: Annotated[int, Field(ge=1, le=50)] = 1
    """Kafka's nodes in each zone."""
    system_machine: str
    """Machine type of the nodes for all else, one in each zone."""
    storage_parameters: Properties = Field(default_factory=dict)
    """More parameters of the storage class, as its driver knows them, such as a key of your own."""
    protect: bool = False
    """Whether deleting or replacing the cluster is refused; for production."""

    @field_validator("zones")
    @classmethod
    def _of_one_region(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        found = [cls.ZONE.fullmatch(zone) for zone in zones]
        if wrong := [zone for zone, match in zip(zones, found, strict=True) if not match]:
            raise ValueError(f"{wrong[0]} is no zone of this cloud: one is written such as {cls.EXAMPLE}")
        if len({match["region"] for match in found if match}) > 1:
            raise ValueError("all zones must be of one region")
        return zones

    @field_validator("version", mode="before")
    @classmethod
    def _no_number(cls, version: object) -> object:
        if isinstance(version, float):
            raise ValueError("it must be in quotes: YAML takes it for a number")
        return version

    @field_validator("version")
    @classmethod
    def _minor(cls, version: str) -> str:
        if not re.fullmatch(r"1\.\d{2}", version) or _numbers(version) < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise ValueError(f'a minor version such as "1.35" is needed, {oldest} or later (sidecar containers)')
        return version

    @field_validator("api_ranges")
    @classmethod
    def _not_open_by_oversight(cls, ranges: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("private_api") is False and not ranges:
            raise ValueError("the ranges that may reach the API must be named, unless privateApi is true")
        return ranges

    @property
    def region(self) -> str:
        """The region of the zones."""
        match = self.ZONE.fullmatch(self.zones[0])
        assert match, "zones have been validated"
        return match["region"]

    @property
    def pods_know_their_zone(self) -> bool:
        """Whether Kubernetes labels pods with their zone (KEP-4742); before, a cloud has no switch for it."""
        return _numbers(self.version) >= _POD_ZONE_LABELS


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def connection(
    kind: str,
    settings: CloudSettings,
    kubeconfig: Output[str],
    cluster: Resource,
    ready: list[Resource],
    storage: Manifest,
) -> Connection:
    """How Kafka is put on a cloud's cluster."""
    return Connection(
        kubeconfig=Output.secret(kubeconfig),
        identifier=f"{kind}-{settings.region}-{settings.name}",
        lifetime=cluster,
        ready=tuple(ready),
        node_pool=node_pool(),
        storage_class=storage,
        pods_know_their_zone=settings.pods_know_their_zone,
    )


def node_pool() -> NodePool:
    """The nodes that are for Kafka alone."""
    key, value = POOL
    return NodePool(node_selector={key: value}, tolerations=(Toleration(key=key, value=value, effect="NoSchedule"),))


@dataclass(frozen=True)
class Pool:
    """Equal nodes in one zone: Kafka's own, or those for all else."""

    role: Literal["kafka", "system"]
    zone: str
    machine: str
    size: int

    @property
    def labels(self) -> dict[str, str]:
        """Of its nodes; Kafka's have a taint of the same key and value."""
        return dict([POOL]) if self.role == "kafka" else {}


def pools(settings: CloudSettings) -> Iterator[tuple[Pool, Pool]]:
    """Kafka's pool and the other one of each zone."""
    for zone in settings.zones:
        yield (
            Pool("kafka", zone, settings.machine, settings.nodes_per_zone),
            Pool("system", zone, settings.system_machine, 1),
        )


def storage_class(settings: CloudSettings, provisioner: str, parameters: dict[str, str]) -> Manifest:
    """A storage class whose volumes are made in the zone where their broker has been placed, and outlive its claim."""
    return {
        "metadata": {"name": STORAGE_CLASS},
        "provisioner": provisioner,
        "parameters": parameters | settings.storage_parameters,
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def render_kubeconfig(name: str, server: str, authority: str, login: dict[str, Any]) -> str:
    """A kubeconfig that is complete in itself but for the program of `login`; `authority` in base64."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "clusters": [
                {"name": name, "cluster": {"server": server, "certificate-authority-data": authority}},
            ],
            "users": [
                {
                    "name": name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "interactiveMode": "Never",
                            **login,
                        }
                    },
                }
            ],
        }
    )


Cloud = Literal["eks", "gke", "aks"]


def on_demand(kind: Cloud, package: str) -> Callable[[str, Any, Resource], Connection]:
    """`connect` of a cloud, whose package is imported only when it is chosen."""

    def connect(name: str, settings: Any, parent: Resource) -> Connection:
        try:
            module = import_module(f"components.clouds.{kind}")
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            raise UnsafeSettings(
                [
                    f"kafka-ha:cluster.kind: got {kind}, but its package {package} is not installed. Install it: "
                    f".venv/bin/pip install -r requirements-{kind}.txt; or set kind: existing, for a cluster that "
                    "is there."
                ]
            ) from error
        found: Connection = module.connect(name, settings, parent)
        return found

    return connect
