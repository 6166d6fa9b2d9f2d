"""The ZonedCluster component: a Kubernetes cluster with zones, of any kind, behind one interface."""

from collections.abc import Callable

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, Resource, ResourceOptions

from components import manifests
from components.kafka_settings import KafkaSettings, NodePool
from components.kinds import KINDS, ClusterSettings


class ZonedCluster(pulumi.ComponentResource):
    """A Kubernetes cluster whose nodes are labelled with their zones."""

    kubeconfig: Output[str]
    """Secret, complete in itself."""
    zones: tuple[str, ...]
    """The zones, known before the cluster is."""
    provider: k8s.Provider
    """Provider of what is to be on the cluster."""
    cluster_identifier: str
    """Names the cluster: with another one, all that is on it is replaced."""
    context: str | None
    """Context in the kubeconfig; its current one when None."""
    lifetime: Resource | None
    """With this resource goes the cluster and all that is on it."""
    simulated: bool
    """Whether pods only seem to run."""
    pods_know_their_zone: bool
    """Whether Kubernetes copies the node's zone to the pods' labels (KEP-4742)."""
    node_pool: NodePool | None
    """Nodes for Kafka alone, where the cluster has them."""
    storage_class: str | None
    """Storage class for Kafka; None where the cluster's own default serves."""

    _made: list[Resource]
    _check: Callable[[KafkaSettings], None] | None

    def __init__(self, name: str, settings: ClusterSettings, opts: ResourceOptions | None = None) -> None:
        super().__init__("kafka-ha:index:ZonedCluster", name, {"settings": settings.as_inputs()}, opts)
        connection = KINDS[settings.kind].connect(name, settings, self)
        self.kubeconfig = connection.kubeconfig
        self.zones = settings.zones
        self.cluster_identifier = connection.identifier
        self.context = connection.context
        self.lifetime = connection.lifetime
        self.simulated = connection.simulated
        self.pods_know_their_zone = connection.pods_know_their_zone
        self.node_pool = connection.node_pool
        self._check = connection.check
        self.provider = k8s.Provider(
            f"{name}-kubernetes",
            kubeconfig=connection.kubeconfig,
            context=connection.context,
            cluster_identifier=connection.identifier,
            # Brokers read the files at their start, which the checksum on the pods triggers: no new name is needed.
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            # On a cluster of our own, what an interrupted run made but could not record is taken over by the next, and
            # what was on a local one that somebody deleted is gone with it.
            upsert_existing_objects=connection.lifetime is not None,
            delete_unreachable=connection.lifetime is not None and connection.local,
            opts=ResourceOptions(parent=self, deleted_with=connection.lifetime, depends_on=connection.ready),
        )
        self.storage_class, self._made = None, []
        if manifest := connection.storage_class:
            self.storage_class = manifest["metadata"]["name"]
            child = ResourceOptions.merge(self.placing(), ResourceOptions(parent=self))
            self._made = [
                k8s.storage.v1.StorageClass(f"{name}-storage-class", **manifests.arguments(manifest), opts=child)
            ]
        self.register_outputs({"kubeconfig": self.kubeconfig, "zones": list(self.zones)})

    def check(self, kafka: KafkaSettings) -> None:
        """Looks whether such a Kafka can be had on a cluster that is there already. Raises UnsafeSettings."""
        if self._check:
            self._check(kafka)

    @property
    def access(self) -> dict[str, pulumi.Input[str]]:
        """What a command needs to reach it; see `components.scripts.kafka_tools`."""
        return {
            "SIMULATED": "yes" if self.simulated else "",
            "KUBE_CONTEXT": self.context or "",
            "KUBECONFIG_CONTENT": self.kubeconfig,
        }

    def placing(self) -> ResourceOptions:
        """Options that put a resource, and its children, on this cluster."""
        return ResourceOptions(
            provider=self.provider,
            deleted_with=self.lifetime,
            replace_with=[self.lifetime] if self.lifetime else None,
            depends_on=self._made or None,
        )
