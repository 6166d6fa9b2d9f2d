"""A Kafka over three simulated zones, with a topic."""

import pulumi

from kafka_ha import KafkaCluster, KafkaSettings, KafkaTopic, TopicSettings, ZonedCluster, cluster_settings

cluster = ZonedCluster("cluster", cluster_settings("kwok", name="minimal"))
kafka = KafkaCluster("kafka", KafkaSettings(), cluster)
orders = KafkaTopic("orders", TopicSettings(name="orders", partitions=6), kafka)

pulumi.export("bootstrap", kafka.bootstrap)
pulumi.export("kubeconfig", cluster.kubeconfig)
