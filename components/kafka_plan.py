"""From settings to a plan: every name, address, count and rendered file of a Kafka cluster. Pure."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from components.kafka_settings import KafkaSettings, TopicSettings
from policies.rules import KafkaFacts, TopicFacts

CLIENT_PORT = 9092
CONTROLLER_PORT = 9093
DATA = "/var/lib/kafka/data"
SERVICE = "svc"  # the article's name: kafka-svc

_FILES = Path(__file__).parent / "files"


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
class KafkaPlan:
    """A Kafka cluster with everything decided; `manifests` renders it for Kubernetes."""

    settings: KafkaSettings
    cluster_id: str
    zones: tuple[str, ...]
    service: str
    brokers: tuple[str, ...]
    bootstrap: str
    server_properties: str
    start_script: str
    logging: str

    @property
    def checksum(self) -> str:
        """Of all files that a broker reads at its start: a change of it rolls the brokers."""
        files = "\0".join((self.server_properties, self.start_script, self.logging))
        return hashlib.sha256(files.encode()).hexdigest()[:16]

    @property
    def client_command(self) -> str:
        """One line that starts a pod with Kafka's command line tools, outside the brokers' restricted namespace."""
        kafka = self.settings
        return (
            f"kubectl run {kafka.name}-client --rm -it --restart=Never --namespace default "
            f"--image {kafka.image} --env BOOTSTRAP={self.bootstrap} --command -- bash"
        )


def plan_kafka(settings: KafkaSettings, zones: tuple[str, ...], identity: str) -> KafkaPlan:
    """The plan of a cluster over `zones`. `identity` names it for good: Kafka's cluster id follows from it."""
    service = f"{settings.name}-{SERVICE}"
    domain = f"{service}.{settings.namespace}.svc.cluster.local"
    brokers = tuple(f"{settings.name}-{ordinal}" for ordinal in range(settings.brokers))
    voters = ",".join(
        f"{ordinal}@{broker}.{domain}:{CONTROLLER_PORT}"
        for ordinal, broker in enumerate(brokers[: settings.controllers])
    )
    return KafkaPlan(
        settings=settings,
        cluster_id=kafka_cluster_id(identity),
        zones=zones,
        service=service,
        brokers=brokers,
        bootstrap=",".join(f"{broker}.{domain}:{CLIENT_PORT}" for broker in brokers),
        server_properties=_render(_server_properties(settings, voters)),
        start_script=(_FILES / "start.sh").read_text(),
        logging=(_FILES / "log4j2.yaml").read_text(),
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
        zones=zones,
        replication_factor=kafka.replication_factor,
        min_isr=kafka.min_insync_replicas,
        max_unavailable=kafka.disruption_budget,
        topics=tuple(TopicFacts(path, topic.name, topic.replication_factor, topic.min_isr) for path, topic in plans),
    )


def kafka_cluster_id(identity: str) -> str:
    """Kafka's cluster id, 22 characters of URL-safe base64, always the same for one identity.

    It never starts with `-`, which Kafka's tools take for an option (KAFKA-15754).
    """
    digest = hashlib.sha256(identity.encode()).digest()[:16]
    # The upper half of the alphabet, where - stands, is not reached by a first byte below 128.
    return base64.urlsafe_b64encode(bytes([digest[0] & 0x7F]) + digest[1:]).decode().rstrip("=")


def _server_properties(settings: KafkaSettings, voters: str) -> dict[str, str]:
    """What all nodes have in common; start.sh adds what is a node's own."""
    factor, min_isr = str(settings.replication_factor), str(settings.min_insync_replicas)
    return {
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "controller.quorum.voters": voters,
        "log.dirs": f"{DATA}/kraft",  # below the mount: a file system's lost+found is no log
        "default.replication.factor": factor,
        "min.insync.replicas": min_isr,
        "offsets.topic.replication.factor": factor,
        "transaction.state.log.replication.factor": factor,
        "transaction.state.log.min.isr": min_isr,
        "share.coordinator.state.topic.replication.factor": factor,
        "share.coordinator.state.topic.min.isr": min_isr,
        "unclean.leader.election.enable": "false",
        # A topic made by a typo would escape the rules; KafkaTopic makes them.
        "auto.create.topics.enable": "false",
        **settings.properties,
    }


def _render(properties: dict[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in properties.items())
