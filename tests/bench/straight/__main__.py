"""The resources of the simulated stack in one straight line: no settings, no rules, no components."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions
from pulumi_command import local

from components.live.topic import TopicResource

ZONES = ["zone-a", "zone-b", "zone-c"]
NODES = {f"{zone}-{index}": zone for zone in ZONES for index in range(2)}
LABELS: Any = {"app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": "kafka"}
DOMAIN = "kafka-svc.kafka.svc.cluster.local"
BROKERS = ["kafka-0", "kafka-1", "kafka-2"]
BOOTSTRAP = ",".join(f"{broker}.{DOMAIN}:9092" for broker in BROKERS)
CLUSTER_ID = "LvQ0c5dXR2K0oYtQ8nVbXA"
FILES = Path("components/files")

SERVER_PROPERTIES = f"""\
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.voters=0@kafka-0.{DOMAIN}:9093,1@kafka-1.{DOMAIN}:9093,2@kafka-2.{DOMAIN}:9093
log.dirs=/var/lib/kafka/data/kraft
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
unclean.leader.election.enable=false
auto.create.topics.enable=false
"""

storage_class = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "zonal-local",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}
capacity = {"cpu": "8", "memory": "32Gi", "pods": "110"}
nodes = [
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node,
            "labels": {
                "kubernetes.io/hostname": node,
                "topology.kubernetes.io/zone": zone,
                "kubernetes.io/os": "linux",
                "type": "kwok",
            },
            "annotations": {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
        },
        "status": {"capacity": capacity, "allocatable": capacity},
    }
    for node, zone in NODES.items()
]
volumes = [
    {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{node}-volume-0"},
        "spec": {
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "zonal-local",
            "local": {"path": f"/simulated/{node}-volume-0"},
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]},
                            ],
                        },
                    ],
                },
            },
        },
    }
    for node in NODES
]

cluster = local.Command(
    "cluster",
    create="python3 -m components.scripts.kwok_cluster create",
    delete="python3 -m components.scripts.kwok_cluster delete",
    environment={
        "CLUSTER": json.dumps(
            {
                "name": "bench-straight",
                "owner": "kafka-ha-straight",
                "fingerprint": "1",
                "zones": ZONES,
                "nodes_per_zone": 2,
                "options": {"objects": [storage_class, *nodes, *volumes]},
            }
        )
    },
    triggers=["1"],
    logging=local.Logging.STDERR,
    opts=ResourceOptions(
        delete_before_replace=True,
        additional_secret_outputs=["stdout"],
        custom_timeouts=CustomTimeouts(create="20m", delete="5m"),
    ),
)

provider = k8s.Provider(
    "kubernetes",
    kubeconfig=cluster.stdout,
    cluster_identifier="bench-straight",
    enable_config_map_mutable=True,
    opts=ResourceOptions(deleted_with=cluster),
)

namespace = k8s.core.v1.Namespace(
    "namespace",
    metadata={"name": "kafka", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    opts=ResourceOptions(provider=provider, deleted_with=cluster),
)
within = ResourceOptions(provider=provider, deleted_with=cluster, depends_on=[namespace])

service = k8s.core.v1.Service(
    "service",
    metadata={"name": "kafka-svc", "namespace": "kafka", "labels": LABELS},
    spec={
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": LABELS,
        "ports": [{"name": "client", "port": 9092}, {"name": "controller", "port": 9093}],
    },
    opts=within,
)

config = k8s.core.v1.ConfigMap(
    "config",
    metadata={"name": "kafka-config", "namespace": "kafka", "labels": LABELS},
    data={
        "server.properties": SERVER_PROPERTIES,
        "start.sh": (FILES / "start.sh").read_text(),
        "log4j2.yaml": (FILES / "log4j2.yaml").read_text(),
    },
    opts=within,
)

budget = k8s.policy.v1.PodDisruptionBudget(
    "disruption-budget",
    metadata={"name": "kafka", "namespace": "kafka", "labels": LABELS},
    spec={"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
    opts=within,
)

# Any: as a nested literal it costs the type checker minutes.
brokers_spec: Any = {
    "serviceName": "kafka-svc",
    "replicas": 3,
    "podManagementPolicy": "Parallel",
    "updateStrategy": {"type": "RollingUpdate"},
    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "selector": {"matchLabels": LABELS},
    "template": {
        "metadata": {"labels": LABELS, "annotations": {"kafka-ha/config-checksum": "1"}},
        "spec": {
            "terminationGracePeriodSeconds": 120,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "minDomains": 3,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": LABELS},
                },
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": LABELS},
                },
            ],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "fsGroup": 1000,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "kafka",
                    "image": "apache/kafka:4.3.1",
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["bash", "/etc/kafka-ha/start.sh"],
                    "env": [
                        {"name": "CLUSTER_ID", "value": CLUSTER_ID},
                        {"name": "DOMAIN", "value": DOMAIN},
                        {"name": "VOTERS", "value": "3"},
                        {"name": "HEAP", "value": "512m"},
                    ],
                    "ports": [
                        {"name": "client", "containerPort": 9092},
                        {"name": "controller", "containerPort": 9093},
                    ],
                    "startupProbe": {"tcpSocket": {"port": 9092}, "periodSeconds": 2, "failureThreshold": 300},
                    "readinessProbe": {"tcpSocket": {"port": 9092}, "periodSeconds": 2},
                    "resources": {
                        "requests": {"cpu": "250m", "memory": "1Gi"},
                        "limits": {"memory": "1Gi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [
                        {"name": "data", "mountPath": "/var/lib/kafka/data"},
                        {"name": "config", "mountPath": "/etc/kafka-ha", "readOnly": True},
                        {"name": "tmp", "mountPath": "/tmp"},
                    ],
                }
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "kafka-config"}},
                {"name": "tmp", "emptyDir": {}},
            ],
        },
    },
    "volumeClaimTemplates": [
        {
            "metadata": {"name": "data"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}},
            },
        }
    ],
}

brokers = k8s.apps.v1.StatefulSet(
    "brokers",
    metadata={"name": "kafka", "namespace": "kafka", "labels": LABELS},
    spec=brokers_spec,
    opts=ResourceOptions(
        provider=provider,
        deleted_with=cluster,
        depends_on=[service, config, budget],
        custom_timeouts=CustomTimeouts(create="30m", update="30m"),
    ),
)

topic = TopicResource(
    "topic",
    {
        "name": "orders",
        "partitions": 6,
        "replicationFactor": 3,
        "config": {"min.insync.replicas": "2"},
        "allowDeletion": False,
        "cluster": "straight",
        "connection": {
            "NAMESPACE": "kafka",
            "BROKER_PODS": " ".join(BROKERS),
            "BOOTSTRAP": BOOTSTRAP,
            "SIMULATED": "yes",
            "KUBE_CONTEXT": "",
        },
        "kubeconfig": pulumi.Output.secret(cluster.stdout),
    },
    ResourceOptions(depends_on=[brokers], deleted_with=brokers),
)

pulumi.export("kubeconfig", pulumi.Output.secret(cluster.stdout))
pulumi.export("zones", ZONES)
pulumi.export("bootstrap", BOOTSTRAP)
pulumi.export("disruptionBudget", {"name": budget.metadata.name, "maxUnavailable": 1})
pulumi.export("clusterId", CLUSTER_ID)
pulumi.export("topics", ["orders"])
