"""From settings to a plan: every name, address, count and rendered file of a Kafka cluster. Pure."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from components.failover import CLIENT, SERVER
from components.kafka_release import split
from components.kafka_settings import FIRST_CONTROLLER, Controllers, KafkaSettings, Resources, Storage, TopicSettings
from components.listeners import MECHANISM, TOOLS, Listener, Listeners
from policies.rules import KafkaFacts, TopicFacts
from policies.rules.model import UNCLEAN

HEALTH_PORT = 9094
METRICS_PORT = 9404  # the JMX exporter's own, in Prometheus' list of ports
LOG_FOLDER = "kraft"
"""Folder of the logs on each disk: below the mount, since a file system's lost+found is no log."""
TOOLS_FILE = "tools.properties"
"""Name of the file with which Kafka's tools log in, where that is needed."""
SERVICE = "svc"  # the article's name: kafka-svc

_HERE = Path(__file__).parent
_LOGIN = {"security.protocol": "SASL_SSL", "sasl.mechanism": MECHANISM}


@dataclass(frozen=True)
class TopicPlan:
    """A topic with everything decided."""

    name: str
    partitions: int
    replication_factor: int
    min_isr: int
    config: dict[str, str]
    allow_deletion: bool


@dataclass(frozen=True)
class NodesPlan:
    """Nodes that are deployed alike, by one StatefulSet: brokers, dedicated controllers, or nodes that are both."""

    name: str
    """Of the StatefulSet."""
    namespace: str
    component: str
    roles: tuple[str, ...]
    replicas: int
    first_id: int
    """Node id of the first; the others follow it."""
    max_unavailable: int
    storage: Storage
    resources: Resources
    listeners: tuple[Listener, ...]
    """That the others reach a node by; those of controllers are the last."""

    @property
    def service(self) -> str:
        """Name of the headless Service."""
        return f"{self.name}-{SERVICE}"

    @property
    def domain(self) -> str:
        """Where the names of the nodes' own Services are addresses."""
        return f"{self.namespace}.svc.cluster.local"

    @property
    def pods(self) -> tuple[str, ...]:
        """Names of the pods."""
        return tuple(f"{self.name}-{ordinal}" for ordinal in range(self.replicas))

    @property
    def disks(self) -> tuple[str, ...]:
        """Where its claims are mounted; the metadata log is on the first."""
        return tuple(f"/var/lib/kafka/{claim}" for claim in self.claims)

    @property
    def claims(self) -> tuple[str, ...]:
        """Names of the claim templates."""
        return ("data", *(f"data-{number}" for number in range(1, self.storage.volumes)))

    def addresses(self, listener: Listener) -> tuple[str, ...]:
        """Host and port of each node."""
        return tuple(f"{pod}.{self.domain}:{listener.port}" for pod in self.pods)


@dataclass(frozen=True)
class KafkaPlan:
    """A Kafka cluster with everything decided; `manifests` renders it for Kubernetes."""

    settings: KafkaSettings
    cluster_id: str
    zones: tuple[str, ...]
    pods_know_their_zone: bool
    brokers: NodesPlan
    controllers: NodesPlan
    """The same as `brokers` in combined mode."""
    voters: tuple[str, ...]
    """Of a new quorum, as `kafka-storage.sh format --initial-controllers` takes them."""
    checker: Mapping[str, str]
    """The checker's files."""
    client_properties: str

    @property
    def groups(self) -> tuple[NodesPlan, ...]:
        """In the order in which they are deployed: brokers find a quorum that is up to date."""
        return (self.brokers,) if self.controllers == self.brokers else (self.controllers, self.brokers)

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""
        return ",".join(self.brokers.addresses(self.listeners.clients))

    @property
    def tools_bootstrap(self) -> str:
        """Where Kafka's own tools begin, beside a node."""
        return ",".join(self.brokers.addresses(self.listeners.brokers))

    @property
    def listeners(self) -> Listeners:
        """Where the nodes listen."""
        return self.settings.listeners

    @property
    def external(self) -> dict[str, str]:
        """Host and port of each broker as clients outside reach it, by its pod; empty where they don't."""
        outside, brokers = self.settings.external, self.brokers
        return {pod: outside.address(id_) for id_, pod in enumerate(brokers.pods, brokers.first_id)} if outside else {}

    @property
    def quorum(self) -> tuple[str, ...]:
        """Host and port of each controller."""
        return self.controllers.addresses(self.listeners.controllers)

    def files(self, nodes: NodesPlan) -> dict[str, str]:
        """What every node of a group starts from, and what tools beside it read."""
        return {
            "server.properties": render_properties(_server_properties(self.settings, nodes, self.quorum)),
            **({TOOLS_FILE: render_properties(TOOLS)} if self.listeners.secured else {}),
            **_texts("files/*.sh"),
            **_texts("files/*.yaml"),
            **(_texts("observability/*.yaml") if self.settings.metrics else {}),
        }

    def checksum(self, nodes: NodesPlan) -> str:
        """Of all files that a node reads at its start: a change of it rolls the nodes."""
        files = "\0".join((*self.files(nodes).values(), *self.checker.values()))
        return hashlib.sha256(files.encode()).hexdigest()[:16]

    @property
    def client_command(self) -> str:
        """One line that starts a pod with Kafka's command line tools, outside the brokers' restricted namespace."""
        kafka = self.settings
        return (
            f"kubectl run {kafka.name}-client --rm -it --restart=Never --namespace default "
            f"--image {kafka.image} --env BOOTSTRAP={self.bootstrap} --command -- bash"
        )


def plan_kafka(
    settings: KafkaSettings, zones: tuple[str, ...], identity: str, *, pods_know_their_zone: bool = False
) -> KafkaPlan:
    """The plan of a cluster over `zones`. `identity` names it for good: Kafka's cluster id follows from it.
    `pods_know_their_zone`: Kubernetes copies the node's zone to the pods' labels (KEP-4742).
    """
    dedicated = settings.dedicated_controllers
    brokers = _brokers(settings)
    controllers = _controllers(settings, dedicated) if dedicated else brokers
    return KafkaPlan(
        settings=settings,
        cluster_id=kafka_id(identity),
        zones=zones,
        pods_know_their_zone=pods_know_their_zone,
        brokers=brokers,
        controllers=controllers,
        voters=tuple(
            f"{controllers.first_id + ordinal}@{address}:{kafka_id(f'{identity}/{ordinal}')}"
            for ordinal, address in enumerate(controllers.addresses(settings.listeners.controllers))
        ),
        checker=_texts("checker/*.py"),
        client_properties=render_properties(CLIENT | (_LOGIN if settings.security else {})),
    )


def _controllers(settings: KafkaSettings, dedicated: Controllers) -> NodesPlan:
    return NodesPlan(
        name=f"{settings.name}-controller",
        namespace=settings.namespace,
        component="controller",
        roles=("controller",),
        replicas=settings.controllers,
        first_id=FIRST_CONTROLLER,
        max_unavailable=settings.controllers_budget,
        storage=dedicated.storage,
        resources=dedicated.resources,
        listeners=settings.listeners.of(["controller"]),
    )


def _brokers(settings: KafkaSettings) -> NodesPlan:
    roles = ("broker",) if settings.dedicated_controllers else ("broker", "controller")
    return NodesPlan(
        name=settings.name,
        namespace=settings.namespace,
        component="broker",
        roles=roles,
        replicas=settings.brokers,
        first_id=0,
        max_unavailable=settings.disruption_budget,
        storage=settings.storage,
        resources=settings.resources,
        listeners=settings.listeners.of(roles),
    )


def plan_topic(topic: TopicSettings, kafka: KafkaSettings) -> TopicPlan:
    """The plan of a topic, what it leaves open taken from its cluster."""
    min_isr = topic.min_insync_replicas or kafka.min_insync_replicas
    return TopicPlan(
        name=topic.name,
        partitions=topic.partitions,
        replication_factor=topic.replication_factor or kafka.replication_factor,
        min_isr=min_isr,
        config={**topic.config, "min.insync.replicas": str(min_isr)},
        allow_deletion=topic.allow_deletion,
    )


def kafka_facts(
    kafka: KafkaSettings,
    zones: tuple[str, ...] | None,
    topics: dict[str, TopicSettings],
    project: str = "kafka-ha",
) -> KafkaFacts:
    """What the rules judge. `topics` maps the path of each topic's settings to them; `project` prefixes the
    other paths.
    """
    plans = ((path, plan_topic(topic, kafka)) for path, topic in topics.items())
    return KafkaFacts(
        path=f"{project}:kafka",
        zones_path=f"{project}:cluster.zones",
        brokers=kafka.brokers,
        voters=kafka.controllers,
        combined=kafka.dedicated_controllers is None,
        zones=zones,
        replication_factor=kafka.replication_factor,
        min_isr=kafka.min_insync_replicas,
        max_unavailable=kafka.disruption_budget,
        controllers_max_unavailable=kafka.controllers_budget,
        topics=tuple(_topic_facts(path, topic) for path, topic in plans),
    )


def _topic_facts(path: str, topic: TopicPlan) -> TopicFacts:
    unclean = topic.config.get(UNCLEAN, "").strip().lower() == "true"
    return TopicFacts(path, topic.name, topic.replication_factor, topic.min_isr, unclean)


def kafka_id(identity: str) -> str:
    """An id as Kafka makes them at random, 22 characters of URL-safe base64, always the same for one identity.

    It never starts with `-`, which Kafka's tools take for an option (KAFKA-15754).
    """
    digest = hashlib.sha256(identity.encode()).digest()[:16]
    # The upper half of the alphabet, where - stands, is not reached by a first byte below 128.
    return base64.urlsafe_b64encode(bytes([digest[0] & 0x7F]) + digest[1:]).decode().rstrip("=")


def _server_properties(settings: KafkaSettings, nodes: NodesPlan, controllers: tuple[str, ...]) -> dict[str, str]:
    """What all nodes of a group have in common; start.sh adds what is a node's own. What Kafka changes at run time is
    not here: `live.settings` sets it.

    The replication settings stand on controllers too: with eligible leader replicas (KIP-966) the cluster's minimum
    ISR is taken from the active controller's file.
    """
    factor, min_isr = str(settings.replication_factor), str(settings.min_insync_replicas)
    return {
        "process.roles": ",".join(nodes.roles),
        **settings.listeners.properties(nodes.roles),
        "controller.quorum.bootstrap.servers": ",".join(controllers),
        # A controller whose disk was replaced takes the place of the voter that it was (KAFKA-19078).
        **({"controller.quorum.auto.join.enable": "true"} if "controller" in nodes.roles else {}),
        "log.dirs": ",".join(f"{disk}/{LOG_FOLDER}" for disk in nodes.disks),
        "default.replication.factor": factor,
        "min.insync.replicas": min_isr,
        "offsets.topic.replication.factor": factor,
        "transaction.state.log.replication.factor": factor,
        "transaction.state.log.min.isr": min_isr,
        "share.coordinator.state.topic.replication.factor": factor,
        "share.coordinator.state.topic.min.isr": min_isr,
        "unclean.leader.election.enable": "false",
        # A broker without a quorum waits for it; by default it ends after a minute, and is restarted ever later.
        "initial.broker.registration.timeout.ms": str(settings.startup_timeout.milliseconds),
        # A consumer that names its zone (client.rack) reads from the replica there (KIP-392).
        "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
        # A topic made by a typo would escape the rules; KafkaTopic makes them.
        "auto.create.topics.enable": "false",
        **SERVER,
        **split(settings.properties)[0],
    }


@cache
def _texts(pattern: str) -> Mapping[str, str]:
    """The files of this package that match, by name."""
    return {file.name: file.read_text() for file in sorted(_HERE.glob(pattern))}


def render_properties(properties: Mapping[str, str]) -> str:
    """A property file: Java takes a backslash for an escape."""
    return "".join(f"{key}={value}\n" for key, value in properties.items()).replace("\\", r"\\")
