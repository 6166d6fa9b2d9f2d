"""What can be set of Kafka and its topics."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from components.kafka_release import METADATA_VERSIONS, is_older, level_of
from components.listeners import EXTERNAL, PLAIN, SECURED, Listeners
from components.metrics_settings import Metrics
from components.quantities import Duration, DurationValue, Quantity, QuantityValue, parse_duration, parse_quantity
from components.security_settings import LAST_NODE_PORT, External, Security
from components.settings_model import DnsLabel, SettingsModel
from policies.rules.disruption import tolerated

IMAGE = "apache/kafka:4.3.1"
"""The default image, pinned: Kafka's official one."""
CHECKER_IMAGE = "python:3.13.2-alpine3.21"
"""The default image of the checker, pinned: Python's official one."""
FIRST_CONTROLLER = 1000
"""Node id of the first dedicated controller: brokers have those below."""

_MOST_VOTERS = 9
_LONGEST_NAME = 40  # NAME-controller and the hash of a revision are a label together, of at most 63 characters

_KEY = re.compile(r"[A-Za-z0-9._-]+")

# What the plan writes itself: a second value would contradict the manifests or the rules.
MANAGED_PROPERTIES = {
    "node.id": "it follows from the pod's ordinal",
    "broker.id": "it follows from the pod's ordinal",
    "process.roles": "it follows from kafka.dedicatedControllers",
    "controller.quorum.voters": "the quorum is dynamic (KIP-853)",
    "controller.quorum.bootstrap.servers": "it follows from kafka.controllers",
    "controller.quorum.auto.join.enable": "a replaced controller joins by itself",
    "broker.rack": "it is the node's zone",
    "listeners": "the Services and probes follow it",
    "advertised.listeners": "it follows from the pod's name",
    "controller.listener.names": "the quorum follows it",
    "inter.broker.listener.name": "the brokers' listener follows it",
    "security.inter.broker.protocol": "the listeners follow it",
    "listener.security.protocol.map": "the listeners follow it",
    "authorizer.class.name": "set kafka.security",
    "super.users": "they are the nodes themselves; others get their rights by users",
    "log.dirs": "it is the claims' mounts",
    "log.dir": "it is the claims' mounts",
    "metadata.log.dir": "the metadata log is on the first claim",
    "default.replication.factor": "set kafka.replicationFactor",
    "min.insync.replicas": "set kafka.minInsyncReplicas",
    "offsets.topic.replication.factor": "set kafka.replicationFactor",
    "transaction.state.log.replication.factor": "set kafka.replicationFactor",
    "transaction.state.log.min.isr": "set kafka.minInsyncReplicas",
    "share.coordinator.state.topic.replication.factor": "set kafka.replicationFactor",
    "share.coordinator.state.topic.min.isr": "set kafka.minInsyncReplicas",
    "unclean.leader.election.enable": "an unclean leader loses acknowledged records",
}

_MANAGED_PREFIXES = {
    "listener.name.": "the listeners follow kafka.security",
    "ssl.keystore.": "the nodes' certificate follows kafka.security",
    "ssl.truststore.": "the nodes' certificate follows kafka.security",
    "sasl.enabled.": "the listeners follow kafka.security",
    "sasl.mechanism.": "the listeners follow kafka.security",
}
_SECURED_SINCE = "4.2"  # its tools all take --command-config (KIP-1147)

_SESSION_TIMEOUT, _LONGEST_SESSION = "broker.session.timeout.ms", 30000
_BROKER_HEAP = 256  # MiB; with 192 a broker ended with an OutOfMemoryError as it started (measured, 4.3.1)


def _scalars_as_text(properties: object) -> object:
    """YAML's numbers and booleans, as Kafka writes them."""
    if not isinstance(properties, dict):
        return properties
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value
        for key, value in properties.items()
    }


def _managed(key: str) -> str | None:
    """Why a property is not set by hand; None where it may be."""
    by_prefix = (reason for prefix, reason in _MANAGED_PREFIXES.items() if key.startswith(prefix))
    return MANAGED_PROPERTIES.get(key) or next(by_prefix, None)


def _pinned(image: str) -> str:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not (digest or (tag and tag != "latest")) or any(character.isspace() for character in image):
        raise ValueError("the image must be pinned by a tag or a digest, such as name:1.2.3")
    return image


def _at_least_a_minute(span: DurationValue) -> DurationValue:
    if span.seconds < 60:
        raise ValueError("at least 1m is needed")
    return span


Minutes = Annotated[Duration, AfterValidator(_at_least_a_minute)]
PinnedImage = Annotated[str, AfterValidator(_pinned)]
Properties = Annotated[dict[str, str], BeforeValidator(_scalars_as_text)]


class Storage(SettingsModel):
    """The claims of each node."""

    size: Quantity = parse_quantity("10Gi")
    """Size of each volume; may be raised later, where the storage class grows volumes, never lowered."""
    storage_class: DnsLabel | None = None
    """Storage class; the cluster's own default when unset. Changed later only as docs/storage.md says."""
    volumes: Annotated[int, Field(ge=1, le=16)] = 1
    """Volumes of each node, over which a broker spreads its partitions (JBOD, KIP-858). Changed later only as
    docs/storage.md says.
    """


class Resources(SettingsModel):
    """What each node's container requests, and its limit of memory."""

    cpu: Quantity = parse_quantity("250m")
    """CPU requested."""
    memory: Quantity = parse_quantity("1Gi")
    """Memory requested, and its limit: Kafka's page cache lives in it beside the heap."""
    heap: Annotated[Quantity, Field(validate_default=True)] = parse_quantity("512Mi")
    """Java heap; below `memory`."""

    @field_validator("heap")
    @classmethod
    def _fits(cls, heap: QuantityValue, info: ValidationInfo) -> QuantityValue:
        if heap.amount % 2**20:
            raise ValueError("it must be a whole number of Mi, such as 512Mi")
        memory = info.data.get("memory")
        if memory and heap.amount >= memory.amount:
            raise ValueError(f"it must be below memory, {memory}; half of it is usual")
        return heap


class Toleration(SettingsModel):
    """A taint that the pods bear, as Kubernetes writes it."""

    key: str | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None


class NodePool(SettingsModel):
    """The Kubernetes nodes that Kafka's pods may stand on."""

    node_selector: Properties = Field(default_factory=dict)
    """Labels that a node must have."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints that the pods bear, such as those of a pool for Kafka alone."""
    priority_class: DnsLabel | None = None
    """Priority class: which pods go first where there is no room."""


class ControllerStorage(Storage):
    """The claim of each dedicated controller: the metadata log and its snapshots stand on one volume."""

    size: Quantity = parse_quantity("5Gi")
    volumes: Literal[1] = 1


class Controllers(SettingsModel):
    """Dedicated controllers: a StatefulSet of their own, so that a busy broker does not slow the quorum."""

    storage: ControllerStorage = ControllerStorage()
    """Volume of each controller."""
    resources: Resources = Resources()
    """Requests and limits of each controller."""


class Reassignment(SettingsModel):
    """How replicas are moved when brokers come and go; those of brokers that leave are always moved first."""

    throttle: Quantity = parse_quantity("50Mi")
    """Bytes a second that each broker may send, and take, for it: enough to outrun the writers, and little enough to
    leave them room. May be changed while it runs: interrupt the deployment, and deploy again.
    """
    automatic: bool = True
    """Whether brokers that hold far less than their share, as new ones do, are given it; else it is only told how."""

    @field_validator("throttle")
    @classmethod
    def _ends(cls, throttle: QuantityValue) -> QuantityValue:
        if throttle.amount < 2**20:
            raise ValueError("a throttle is at least 1Mi: with less, replicas may never catch up with the writers")
        return throttle


# Defaults that follow from what is given.
def _replication_factor(given: dict[str, Any]) -> int:
    return 2 + int(given["fault_tolerance"])  # the minimum ISR is left


def _brokers(given: dict[str, Any]) -> int:
    factor = _replication_factor(given)
    # In combined mode each broker votes, so that their number is odd.
    return factor if given["dedicated_controllers"] else factor + 1 - factor % 2


def _voters(given: dict[str, Any]) -> int:
    return 1 + 2 * int(given["fault_tolerance"]) if given["dedicated_controllers"] else int(given["brokers"])


def _is_combined(info: ValidationInfo) -> bool:
    return info.data.get("dedicated_controllers", ...) is None  # absent: it could not be read


class KafkaSettings(SettingsModel):
    """`kafka`: one Kafka cluster. `faultTolerance` decides what the numbers are; each may be set by hand within the
    rules.
    """

    name: Annotated[DnsLabel, StringConstraints(max_length=_LONGEST_NAME)] = "kafka"
    """Name of the StatefulSet; the pods are NAME-0, NAME-1 and so on."""
    namespace: DnsLabel = "kafka"
    """Namespace, made by the program."""
    image: PinnedImage = IMAGE
    """Image of Kafka, pinned by tag or digest."""
    metadata_version: str | None = None
    """Version of the cluster's metadata, such as "4.3": raised when all nodes know it, never lowered. When unset, what
    the cluster was formatted with.
    """
    checker_image: PinnedImage = CHECKER_IMAGE
    """Image of the checker beside each node: any with Python 3.11 or later."""
    fault_tolerance: Literal[1, 2] = 1
    """How many brokers may be gone while writes go on. 1: replication factor 3 on 3 brokers, 3 voters. 2, one planned
    loss and one unplanned at the same time: replication factor 4 on 4 brokers, 5 voters; 5 brokers in combined mode.
    """
    dedicated_controllers: Controllers | None = None
    """Controllers in a StatefulSet of their own; in combined mode, when unset, each broker is a controller too, which
    Kafka's documentation advises against for critical deployments.
    """
    brokers: Annotated[int, Field(ge=1, le=FIRST_CONTROLLER)] = Field(default_factory=_brokers)
    """Number of brokers; follows from `faultTolerance` when unset. In combined mode it is odd, as the voters'."""
    controllers: Annotated[int, Field(ge=1, le=_MOST_VOTERS)] = Field(default_factory=_voters)
    """Number of voters of the KRaft quorum: dedicated controllers, or in combined mode all brokers; follows from
    `faultTolerance` or `brokers` when unset.
    """
    replication_factor: Annotated[int, Field(ge=1)] = Field(default_factory=_replication_factor)
    """Replication factor of topics that don't say otherwise, and of Kafka's own; follows from `faultTolerance` when
    unset.
    """
    min_insync_replicas: Annotated[int, Field(ge=1)] = 2
    """How many replicas must hold a record before it is acknowledged (acks=all)."""
    max_unavailable: Annotated[int, Field(ge=0)] | None = None
    """How many brokers evictions may take at once; follows from the above when unset."""
    storage: Storage = Storage()
    """Volumes of each broker."""
    resources: Resources = Resources()
    """Requests and limits of each broker."""
    protect: bool = False
    """Whether `pulumi destroy`, and what would replace them, is refused for the nodes and their namespace, with which
    the claims go; for production.
    """
    allow_plaintext: bool = False
    """Whether a protected cluster may do without `security`, as one that has run without must."""
    node_pool: NodePool = NodePool()
    """Where the pods may stand."""
    jvm_options: str = ""
    """Options of the brokers' and controllers' JVM beside the heap; Kafka's own (G1) when empty."""
    reassignment: Reassignment = Reassignment()
    """How replicas are moved when brokers come and go."""
    security: Annotated[Security | None, Field(validate_default=True)] = None
    """Encryption, logins and rights; none when unset, `{}` for all defaults. Decided once: a running cluster is not
    switched.
    """
    metrics: Metrics | None = None
    """Metrics for Prometheus, alerts and a dashboard; none when unset, `{}` for all defaults."""
    properties: Properties = Field(default_factory=dict)
    """More broker properties, as in `server.properties`. Those that Kafka can change at run time need no restart."""
    termination_grace_period: Minutes = parse_duration("5m")
    """Time for a stop before the kubelet kills Kafka: a node waits while its stop would bring a partition under its
    minimum ISR, all but the last 30 s of it, which the controlled shutdown has.
    """
    startup_timeout: Minutes = parse_duration("1h")
    """Time that a starting node has before it is restarted, log recovery included (strimzi-kafka-operator#5263)."""

    @field_validator("resources")
    @classmethod
    def _starts(cls, resources: Resources) -> Resources:
        if resources.heap.amount < _BROKER_HEAP * 2**20:
            raise ValueError(
                f"the heap is {resources.heap}: a broker needs at least {_BROKER_HEAP}Mi, since its log cleaner takes "
                "128 MiB when it starts (log.cleaner.dedupe.buffer.size); a dedicated controller does with less"
            )
        return resources

    @field_validator("brokers")
    @classmethod
    def _may_all_vote(cls, brokers: int, info: ValidationInfo) -> int:
        if _is_combined(info) and brokers > _MOST_VOTERS:
            raise ValueError(
                f"in combined mode each broker votes, and {_MOST_VOTERS} voters are the most; for more brokers set "
                "dedicatedControllers: {}"
            )
        return brokers

    @field_validator("controllers")
    @classmethod
    def _are_all_brokers(cls, controllers: int, info: ValidationInfo) -> int:
        brokers = info.data.get("brokers", controllers)
        if _is_combined(info) and controllers != brokers:
            raise ValueError(
                f"in combined mode each of the {brokers} brokers votes; leave it unset, or set "
                "dedicatedControllers: {}"
            )
        return controllers

    @field_validator("metadata_version", mode="before")
    @classmethod
    def _no_number(cls, version: object) -> object:
        if isinstance(version, float):
            raise ValueError("it must be in quotes: YAML takes it for a number")
        return version

    @field_validator("metadata_version")
    @classmethod
    def _known_by_the_image(cls, version: str | None, info: ValidationInfo) -> str | None:
        if version is not None and version not in METADATA_VERSIONS:
            raise ValueError(f"allowed are {', '.join(METADATA_VERSIONS)}")
        image = info.data.get("image", "")
        level = level_of(image)
        if version and level is not None and level < METADATA_VERSIONS[version]:
            raise ValueError(f"the image {image} does not know it; raise kafka.image first, or both at once")
        return version

    @field_validator("security")
    @classmethod
    def _can_be_had(cls, security: Security | None, info: ValidationInfo) -> Security | None:
        image = info.data.get("image", "")
        if security and is_older(image, _SECURED_SINCE):
            raise ValueError(f"it needs Kafka {_SECURED_SINCE} or later, and kafka.image is {image}")
        if security is None and info.data.get("protect") and not info.data.get("allow_plaintext"):
            raise ValueError(
                "it is needed with protect: true, for production: without it whoever reaches the network may read, "
                "write and delete all records. {} is enough; allowPlaintext: true does without"
            )
        return security

    @field_validator("security")
    @classmethod
    def _has_a_port_for_each_broker(cls, security: Security | None, info: ValidationInfo) -> Security | None:
        outside, brokers = security and security.external, info.data.get("brokers", 1)
        if outside and outside.port(brokers - 1) > LAST_NODE_PORT:
            raise ValueError(f"external.nodePort must be at most {LAST_NODE_PORT + 1 - brokers} with {brokers} brokers")
        return security

    @field_validator("properties")
    @classmethod
    def _unmanaged(cls, properties: dict[str, str]) -> dict[str, str]:
        for key, value in properties.items():
            if reason := _managed(key):
                raise ValueError(f"{key} is not set here: {reason}")
            if not _KEY.fullmatch(key) or not (value.isascii() and value.isprintable()):
                raise ValueError(
                    f"{key!r} is no property: a key is of letters, digits, dots, - and _, its value one line of ASCII"
                )
        return properties

    @field_validator("properties")
    @classmethod
    def _fenced_in_time(cls, properties: dict[str, str]) -> dict[str, str]:
        given = properties.get(_SESSION_TIMEOUT, "0")
        if not given.isdigit() or int(given) > _LONGEST_SESSION:
            raise ValueError(
                f"{_SESSION_TIMEOUT} is {given}: at most {_LONGEST_SESSION} (ms) is allowed, since another node may "
                "stop 45 s after one that died while it stopped, and must not count it in any more; leave it out"
            )
        return properties

    @property
    def listeners(self) -> Listeners:
        """Where the nodes listen, and how it is protected."""
        if self.security is None:
            return PLAIN
        return EXTERNAL if self.external else SECURED

    @property
    def external(self) -> External | None:
        """How clients outside the Kubernetes cluster come in, if they do."""
        return self.security.external if self.security else None

    @property
    def disruption_budget(self) -> int:
        """How many brokers evictions may take at once: as set, else one fewer than replication and, in combined mode,
        the quorum tolerate, so that an unplanned loss has room; at least 1.
        """
        if self.max_unavailable is not None:
            return self.max_unavailable
        voters = self.controllers if self.dedicated_controllers is None else None
        return max(1, tolerated(self.replication_factor, self.min_insync_replicas, voters) - 1)

    @property
    def controllers_budget(self) -> int:
        """How many dedicated controllers evictions may take at once: one fewer than the quorum tolerates, or 1."""
        return max(1, (self.controllers - 1) // 2 - 1)


def on_cluster(settings: KafkaSettings, pool: NodePool | None, storage_class: str | None) -> KafkaSettings:
    """The settings on a cluster that has nodes and a storage class for Kafka: it takes them where it names no other."""
    changes: dict[str, Any] = {}
    if pool:
        own = settings.node_pool
        changes["node_pool"] = pool.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
    if storage_class:
        changes["storage"] = _in_class(settings.storage, storage_class)
        if controllers := settings.dedicated_controllers:
            storage = _in_class(controllers.storage, storage_class)
            changes["dedicated_controllers"] = controllers.model_copy(update={"storage": storage})
    return settings.model_copy(update=changes)


def _in_class(storage: Storage, name: str) -> Storage:
    return storage.model_copy(update={"storage_class": storage.storage_class or name})


class TopicSettings(SettingsModel):
    """One of `topics`."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    """Name of the topic."""
    partitions: Annotated[int, Field(ge=1)] = 3
    """Number of partitions; can be raised later, never lowered."""
    replication_factor: Annotated[int, Field(ge=1)] | None = None
    """Replicas of each partition; the cluster's when unset. Changed later by a reassignment, at
    `kafka.reassignment.throttle`.
    """
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
