"""The KafkaTopic component: a topic that is created, changed and, where allowed, deleted with the stack's settings."""

import pulumi
from pulumi import Output, ResourceOptions

from components.kafka_cluster import KafkaCluster
from components.kafka_plan import kafka_facts, plan_topic
from components.kafka_settings import TopicSettings
from components.live.topic import TopicResource
from components.refusal import refuse_unsafe


class KafkaTopic(pulumi.ComponentResource):
    """A topic on a KafkaCluster.

    Partitions can be raised, the replication factor and the configuration changed; what would lose or reorder records
    is refused. What is changed by hand, `pulumi refresh` finds and the next deployment repairs. Raises
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
        topic = TopicResource(
            f"{name}-topic",
            {
                "name": plan.name,
                "partitions": plan.partitions,
                "replicationFactor": plan.replication_factor,
                "config": plan.config,
                "allowDeletion": plan.allow_deletion,
                "throttle": int(kafka.settings.reassignment.throttle.amount),
                **kafka.reach,
            },
            # Where all brokers go, so do the records: only a topic that goes alone is guarded.
            kafka.living(self),
        )
        self.topic = topic.name
        self.register_outputs({"topic": self.topic})
