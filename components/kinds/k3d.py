"""Kind `k3d`: a cluster of containers on this machine's Docker, a pool of agents for each zone."""

from typing import Annotated, Literal

from pulumi import Resource
from pydantic import Field

from components.kinds.kind import Connection, Kind
from components.kinds.local import LocalSettings, connect_local
from components.scripts.k3d_cluster import K3d
from components.settings_model import DnsLabel

IMAGE = "rancher/k3s:v1.34.4-k3s1"
"""The default image of the nodes: the Kubernetes version that this project is tested with."""


class K3dSettings(LocalSettings):
    """k3d, as in the article."""

    kind: Literal["k3d"]
    name: DnsLabel = "kube-cluster"
    image: str = IMAGE
    """Image of the nodes, pinned: k3d's own default changes with k3d."""
    pod_zone_labels: bool = True
    """Whether pods get their node's zone as a label, by the gate PodTopologyLabelsAdmission (KEP-4742, Kubernetes 1.33
    and later); false for an older image.
    """
    network: str | None = None
    """Docker network that exists already; k3d makes one when unset."""
    api_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the Kubernetes API on 127.0.0.1; a free one when unset."""
    extra_args: tuple[str, ...] = ()
    """More arguments of `k3d cluster create`."""


def _connect(name: str, settings: K3dSettings, parent: Resource) -> Connection:
    own = {"image", "network", "api_port", "extra_args", "pod_zone_labels"}
    options = settings.model_dump(include=own, exclude_none=True)
    return connect_local(name, settings, parent, K3d, options, pods_know_their_zone=settings.pod_zone_labels)


KIND = Kind(K3dSettings, _connect)
