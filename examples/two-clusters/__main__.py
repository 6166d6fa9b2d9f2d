"""Two Kafka clusters in one Kubernetes cluster, each in its namespace."""

import pulumi

from kafka_ha import KafkaCluster, KafkaSettings, KafkaTopic, TopicSettings, ZonedCluster, cluster_settings

cluster = ZonedCluster("cluster", cluster_settings("kwok", name="two-clusters"))

for team, topics in {"shop": ["orders", "payments"], "audit": ["events"]}.items():
    kafka = KafkaCluster(team, KafkaSettings(namespace=team), cluster)
    for topic in topics:
        KafkaTopic(f"{team}-{topic}", TopicSettings(name=topic), kafka)
    pulumi.export(f"{team}-bootstrap", kafka.bootstrap)
