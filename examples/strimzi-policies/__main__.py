"""Strimzi's resources, judged by the policy pack: `pulumi preview --policy-pack ../../policies`."""

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

config = pulumi.Config()
LABELS = {"strimzi.io/cluster": "events"}
ZONES = "topology.kubernetes.io/zone"


def spread(key: str) -> dict[str, object]:
    """The pods of the pool, kept apart."""
    selected = {"matchLabels": {**LABELS, "strimzi.io/pool-name": "brokers"}}
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selected}


CustomResource(
    "brokers",
    api_version="kafka.strimzi.io/v1",
    kind="KafkaNodePool",
    metadata={"name": "brokers", "namespace": "kafka", "labels": LABELS},
    spec={
        "replicas": 3,
        "roles": ["controller", "broker"],
        "storage": {"type": "persistent-claim", "size": "100Gi", "deleteClaim": False},
        "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
        "jvmOptions": {"-Xmx": "2g", "-Xms": "2g"},
        "template": {
            "pod": {
                "terminationGracePeriodSeconds": 120,
                "topologySpreadConstraints": [spread(ZONES), spread("kubernetes.io/hostname")],
            }
        },
    },
)
CustomResource(
    "events",
    api_version="kafka.strimzi.io/v1",
    kind="Kafka",
    metadata={"name": "events", "namespace": "kafka"},
    spec={
        "kafka": {
            "version": "4.1.0",
            "rack": {"topologyKey": ZONES},
            "listeners": [{"name": "tls", "port": 9093, "type": "internal", "tls": True}],
            "authorization": {"type": "simple"},
            "config": {
                "default.replication.factor": 3,
                # pulumi config set minInsyncReplicas 1 is refused.
                "min.insync.replicas": config.get_int("minInsyncReplicas") or 2,
                "offsets.topic.replication.factor": 3,
                "transaction.state.log.replication.factor": 3,
                "transaction.state.log.min.isr": 2,
                "share.coordinator.state.topic.replication.factor": 3,
                "share.coordinator.state.topic.min.isr": 2,
            },
        }
    },
)
