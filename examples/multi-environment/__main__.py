"""One program for every environment: what differs stands in the stacks' files."""

import pulumi

from kafka_ha import KafkaCluster, KafkaTopic, KafkaUser, ZonedCluster, load_settings

settings = load_settings()
cluster = ZonedCluster("cluster", settings.cluster)
kafka = KafkaCluster("kafka", settings.kafka, cluster)
topics = [KafkaTopic(topic.name, topic, kafka) for topic in settings.topics]
users = [KafkaUser(user.name, user, kafka) for user in settings.users]

pulumi.export("bootstrap", kafka.bootstrap)
pulumi.export("secrets", [user.secret for user in users])
