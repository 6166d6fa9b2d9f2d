"""A highly available Kafka on zoned Kubernetes: settings → cluster → Kafka → topics and users → outputs."""

import pulumi

from components.disks import warn_of_filling_disks
from components.kafka_cluster import KafkaCluster
from components.kafka_topic import KafkaTopic
from components.kafka_user import KafkaUser
from components.placement import broker_placement
from components.settings import load_settings
from components.zoned_cluster import ZonedCluster

settings = load_settings()
cluster = ZonedCluster("cluster", settings.cluster)
kafka = KafkaCluster("kafka", settings.kafka, cluster)
topics = [KafkaTopic(topic.name, topic, kafka) for topic in settings.topics]
users = [KafkaUser(user.name, user, kafka) for user in settings.users]
warn_of_filling_disks(kafka)

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("zones", cluster.zones)
pulumi.export("bootstrap", kafka.bootstrap)
pulumi.export("brokers", broker_placement(kafka))
pulumi.export("disruptionBudget", kafka.disruption_budget)
pulumi.export("clusterId", kafka.cluster_id)
pulumi.export("topics", [topic.topic for topic in topics])
pulumi.export("clientCommand", kafka.client_command)
pulumi.export("clientProperties", kafka.client_properties)
if settings.kafka.security:
    pulumi.export("authority", kafka.authority)
    pulumi.export("externalBootstrap", kafka.external_bootstrap)
    pulumi.export("userSecrets", [user.secret for user in users])
