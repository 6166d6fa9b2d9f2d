"""The KafkaTopic component: a topic that is created, changed and, where allowed, deleted with the stack's settings."""

import json
from dataclasses import asdict

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_command import local

from components.kafka_cluster import KafkaCluster
from components.kafka_plan import kafka_facts, plan_topic
from components.kafka_settings import TopicSettings
from components.refusal import refuse_unsafe

_SCRIPT = "python3 -m components.scripts.topic"


class KafkaTopic(pulumi.ComponentResource):
    """A topic on a KafkaCluster.

    Partitions can be raised and the configuration changed; what would lose or reorder records is refused. Raises
    `UnsafeSettings` before anything is registered when a rule is violated.
    """

    topic: Output[str]
    """Name of the topic, once it is there."""

    def __init__(
        self,
        name: str,
        settings: TopicSettings,
        kafka: KafkaCluster,
        opts: ResourceOptions | None = None,
    ) -> None:
        refuse_unsafe(kafka_facts(kafka.settings, None, {f"kafka-ha:topics[{settings.name}]": settings}))
        super().__init__("kafka-ha:index:KafkaTopic", name, {"settings": settings.as_inputs()}, opts)
        plan = plan_topic(settings, kafka.settings)
        command = local.Command(
            f"{name}-topic",
            create=f"{_SCRIPT} create",
            update=f"{_SCRIPT} update",
            delete=f"{_SCRIPT} delete",
            environment={"TOPIC": json.dumps(asdict(plan)), **kafka.tools},
            logging=local.Logging.STDERR,  # standard output is the topic as it stands, for the next update
            opts=ResourceOptions(
                parent=self,
                depends_on=[kafka.stateful_set],
                # Where all brokers go, so do the records: only a topic that goes alone is guarded.
                deleted_with=kafka.stateful_set,
            ),
        )
        self.topic = command.stdout.apply(lambda stdout: str(json.loads(stdout)["name"]))
        self.register_outputs({"topic": self.topic})
