"""What can be set of Kafka and its topics."""

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from components.quantities import Duration, Quantity, parse_duration, parse_quantity
from components.settings_model import DnsLabel, SettingsModel
from policies.rules.disruption import tolerated

IMAGE = "apache/kafka:4.3.1"
"""The default image, pinned: Kafka's official one."""

# What the plan writes itself: a second value would contradict the manifests or the rules.
MANAGED_PROPERTIES = {
    "node.id": "it follows from the pod's ordinal",
    "process.roles": "it follows from kafka.controllers",
    "controller.quorum.voters": "it follows from kafka.controllers",
    "listeners": "the Services and probes follow it",
    "advertised.listeners": "it follows from the pod's name",
    "controller.listener.names": "the quorum follows it",
    "inter.broker.listener.name": "the brokers' listener follows it",
    "listener.security.protocol.map": "the listeners follow it",
    "log.dirs": "it is the claim's mount",
    "default.replication.factor": "set kafka.replicationFactor",
    "min.insync.replicas": "set kafka.minInsyncReplicas",
    "offsets.topic.replication.factor": "set kafka.replicationFactor",
    "transaction.state.log.replication.factor": "set kafka.replicationFactor",
    "transaction.state.log.min.isr": "set kafka.minInsyncReplicas",
    "share.coordinator.state.topic.replication.factor": "set kafka.replicationFactor",
    "share.coordinator.state.topic.min.isr": "set kafka.minInsyncReplicas",
    "unclean.leader.election.enable": "an unclean leader loses acknowledged records",
}


def _scalars_as_text(properties: object) -> object:
    """YAML's numbers and booleans, as Kafka writes them."""
    if not isinstance(properties, dict):
        return properties
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value
        for key, value in properties.items()
    }


def _pinned(image: str) -> str:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not (digest or (tag and tag != "latest")) or any(character.isspace() for character in image):
        raise ValueError(f"the image must be pinned by a tag or a digest, such as {IMAGE}")
    return image


PinnedImage = Annotated[str, AfterValidator(_pinned)]
Properties = Annotated[dict[str, str], BeforeValidator(_scalars_as_text)]


class Storage(SettingsModel):
    """The claim of each broker."""

    size: Quantity = parse_quantity("10Gi")
    """Size of each broker's volume."""
    storage_class: DnsLabel | None = None
    """Storage class; the cluster's own default when unset."""


class Resources(SettingsModel):
    """What each broker's container requests, and its limit of memory."""

    cpu: Quantity = parse_quantity("250m")
    """CPU requested."""
    memory: Quantity = parse_quantity("1Gi")
    """Memory requested, and its limit: Kafka's page cache lives in it beside the heap."""
    heap: Quantity = parse_quantity("512Mi")
    """Java heap; below `memory`."""

    @model_validator(mode="after")
    def _heap_fits(self) -> Self:
        if self.heap.amount % 2**20:
            raise ValueError(f"heap {self.heap}: it must be a whole number of Mi, such as 512Mi")
        if self.heap.amount >= self.memory.amount:
            raise ValueError(f"heap {self.heap}: it must be below memory, {self.memory}; half of it is usual")
        return self


class KafkaSettings(SettingsModel):
    """`kafka`: one Kafka cluster, every node a broker and the first `controllers` of them voters too (combined
    mode).
    """

    name: DnsLabel = "kafka"
    """Name of the StatefulSet; the pods are NAME-0, NAME-1 and so on."""
    namespace: DnsLabel = "kafka"
    """Namespace, made by the program."""
    image: PinnedImage = IMAGE
    """Image of Kafka, pinned by tag or digest."""
    brokers: Annotated[int, Field(ge=1, le=1000)] = 3
    """Number of brokers."""
    controllers: Annotated[int, Field(ge=1, le=9)] = 3
    """Number of voters of the KRaft quorum. Not to be changed on a running cluster: the quorum is static."""
    replication_factor: Annotated[int, Field(ge=1)] = 3
    """Replication factor of topics that don't say otherwise, and of Kafka's own."""
    min_insync_replicas: Annotated[int, Field(ge=1)] = 2
    """How many replicas must hold a record before it is acknowledged (acks=all)."""
    max_unavailable: Annotated[int, Field(ge=0)] | None = None
    """How many nodes evictions may take at once; follows from the above when unset."""
    storage: Storage = Storage()
    """Volume of each broker."""
    resources: Resources = Resources()
    """Requests and limits of each broker."""
    properties: Properties = Field(default_factory=dict)
    """More broker properties, as in `server.properties`."""
    termination_grace_period: Duration = parse_duration("120s")
    """Time for a controlled shutdown before the kubelet kills Kafka."""
    startup_timeout: Duration = parse_duration("10m")
    """Time that a starting broker has, log recovery included."""

    @field_validator("properties")
    @classmethod
    def _unmanaged(cls, properties: dict[str, str]) -> dict[str, str]:
        for key, value in properties.items():
            if reason := MANAGED_PROPERTIES.get(key):
                raise ValueError(f"{key} is not set here: {reason}")
            if "\n" in f"{key}{value}" or "=" in key:
                raise ValueError(f"{key!r} is not a property: a key has no =, neither key nor value a line break")
        return properties

    @property
    def disruption_budget(self) -> int:
        """How many nodes evictions may take at once: as set, else what replication and quorum tolerate, at least 1."""
        if self.max_unavailable is not None:
            return self.max_unavailable
        return max(1, tolerated(self.replication_factor, self.min_insync_replicas, self.controllers))


class TopicSettings(SettingsModel):
    """One of `topics`."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    """Name of the topic."""
    partitions: Annotated[int, Field(ge=1)] = 3
    """Number of partitions; can be raised later, never lowered."""
    replication_factor: Annotated[int, Field(ge=1)] | None = None
    """Replicas of each partition; the cluster's when unset. Not to be changed later."""
    min_insync_replicas: Annotated[int, Field(ge=1)] | None = None
    """In-sync replicas that an acknowledgement needs; the cluster's when unset."""
    config: Properties = Field(default_factory=dict)
    """Topic configuration, such as `retention.ms`."""
    allow_deletion: bool = False
    """Whether removing the topic from the settings deletes it, with its records."""

    @field_validator("config")
    @classmethod
    def _min_isr_has_its_own_setting(cls, config: dict[str, str]) -> dict[str, str]:
        if "min.insync.replicas" in config:
            raise ValueError("min.insync.replicas is not set here: use minInsyncReplicas, which the rules judge")
        return config
