"""The resources of the simulated stack in one straight line: no settings, no rules, no components."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions
from pulumi_command import local

from components.failover import CLIENT, SERVER
from components.live.settings import SettingsResource
from components.live.topic import TopicResource
from components.live.version import ImageResource

ZONES = ["zone-a", "zone-b", "zone-c"]
NODES = {f"{zone}-{index}": zone for zone in ZONES for index in range(2)}
LABELS: Any = {"app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": "kafka"}
SELECTED: Any = {**LABELS, "app.kubernetes.io/component": "broker"}
DOMAIN = "kafka.svc.cluster.local"
BROKERS = ["kafka-0", "kafka-1", "kafka-2"]
BOOTSTRAP = ",".join(f"{broker}.{DOMAIN}:9092" for broker in BROKERS)
CLUSTER_ID = "LvQ0c5dXR2K0oYtQ8nVbXA"
DIRECTORIES = ["TUGdKxHrQYSyc52lD2Y8Zw", "Rg0kCjEWRUyTIVXy0iBYmg", "bXIPLgLoQNCd8Wc5hzVDVQ"]
CONTROLLERS = ",".join(f"{broker}.{DOMAIN}:9093" for broker in BROKERS)
VOTERS = ",".join(f"{node}@{broker}.{DOMAIN}:9093:{DIRECTORIES[node]}" for node, broker in enumerate(BROKERS))
FILES = Path("components/files")
CHECKER = Path("components/checker")


def _lines(properties: dict[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in properties.items())


SERVER_PROPERTIES = f"""\
process.roles=broker,controller
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.bootstrap.servers={CONTROLLERS}
controller.quorum.auto.join.enable=true
log.dirs=/var/lib/kafka/data/kraft
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
unclean.leader.election.enable=false
initial.broker.registration.timeout.ms=3600000
replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector
auto.create.topics.enable=false
""" + _lines(SERVER)

CLIENT_PROPERTIES = _lines(CLIENT)

storage_class = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "zonal-local",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "kubernetes.io/no-provisioner",
    "allowVolumeExpansion": True,
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
        "metadata": {"name": f"{node}-volume-{volume}"},
        "spec": {
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "zonal-local",
            "local": {"path": f"/simulated/{node}-volume-{volume}"},
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
    for volume in range(4)
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
    enable_secret_mutable=True,
    opts=ResourceOptions(deleted_with=cluster),
)

namespace = k8s.core.v1.Namespace(
    "namespace",
    metadata={"name": "kafka", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    opts=ResourceOptions(provider=provider, deleted_with=cluster),
)
within = ResourceOptions(provider=provider, deleted_with=cluster, depends_on=[namespace])

account = k8s.core.v1.ServiceAccount(
    "account",
    metadata={"name": "kafka", "namespace": "kafka", "labels": LABELS},
    automount_service_account_token=False,
    opts=within,
)

role = k8s.rbac.v1.Role(
    "role",
    metadata={"name": "kafka", "namespace": "kafka", "labels": LABELS},
    rules=[
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"], "resourceNames": ["kafka-marks"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["get", "update"],
            "resourceNames": ["kafka-stop"],
        },
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["get"], "resourceNames": ["kafka"]},
    ],
    opts=within,
)

role_binding = k8s.rbac.v1.RoleBinding(
    "role-binding",
    metadata={"name": "kafka", "namespace": "kafka", "labels": LABELS},
    role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "kafka"},
    subjects=[{"kind": "ServiceAccount", "name": "kafka", "namespace": "kafka"}],
    opts=within,
)

zones_role = k8s.rbac.v1.ClusterRole(
    "zones",
    metadata={"name": "kafka-kafka-zones", "labels": LABELS},
    rules=[{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}],
    opts=ResourceOptions(provider=provider, deleted_with=cluster),
)

zones_role_binding = k8s.rbac.v1.ClusterRoleBinding(
    "zones-binding",
    metadata={"name": "kafka-kafka-zones", "labels": LABELS},
    role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kafka-kafka-zones"},
    subjects=[{"kind": "ServiceAccount", "name": "kafka", "namespace": "kafka"}],
    opts=ResourceOptions(provider=provider, deleted_with=cluster),
)

checker = k8s.core.v1.ConfigMap(
    "checker",
    metadata={"name": "kafka-checker", "namespace": "kafka", "labels": LABELS},
    data={file.name: file.read_text() for file in sorted(CHECKER.glob("*.py"))},
    opts=within,
)

marks = k8s.core.v1.ConfigMap(
    "marks",
    metadata={"name": "kafka-marks", "namespace": "kafka", "labels": LABELS},
    opts=ResourceOptions(provider=provider, deleted_with=cluster, depends_on=[namespace], ignore_changes=["data"]),
)

client = k8s.core.v1.ConfigMap(
    "client",
    metadata={"name": "kafka-client", "namespace": "kafka", "labels": LABELS},
    data={"client.properties": f"bootstrap.servers={BOOTSTRAP}\n{CLIENT_PROPERTIES}"},
    opts=within,
)

service = k8s.core.v1.Service(
    "service",
    metadata={"name": "kafka-svc", "namespace": "kafka", "labels": SELECTED},
    spec={
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": SELECTED,
        "ports": [{"name": "client", "port": 9092}, {"name": "controller", "port": 9093}],
    },
    opts=within,
)

addresses = [
    k8s.core.v1.Service(
        broker,
        metadata={"name": broker, "namespace": "kafka", "labels": SELECTED},
        spec={
            "publishNotReadyAddresses": True,
            "selector": SELECTED | {"statefulset.kubernetes.io/pod-name": broker},
            "ports": [{"name": "client", "port": 9092}, {"name": "controller", "port": 9093}],
        },
        opts=within,
    )
    for broker in BROKERS
]

config = k8s.core.v1.ConfigMap(
    "config",
    metadata={"name": "kafka-config", "namespace": "kafka", "labels": SELECTED},
    data={
        "server.properties": SERVER_PROPERTIES,
        "start.sh": (FILES / "start.sh").read_text(),
        "stop.sh": (FILES / "stop.sh").read_text(),
        "log4j2.yaml": (FILES / "log4j2.yaml").read_text(),
    },
    opts=within,
)

budget = k8s.policy.v1.PodDisruptionBudget(
    "disruption-budget",
    metadata={"name": "kafka", "namespace": "kafka", "labels": SELECTED},
    spec={
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "IfHealthyBudget",
        "selector": {"matchLabels": SELECTED},
    },
    opts=within,
)

# Any: as nested literals they cost the type checker minutes.
restricted: Any = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
checker_environment: Any = [
    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    {"name": "NAMESPACE", "value": "kafka"},
    {"name": "FIRST_NODE_ID", "value": "0"},
    {"name": "ROLES", "value": "broker,controller"},
    {"name": "MIN_ISR", "value": "2"},
    {"name": "ZONES", "value": "zone-a zone-b zone-c"},
    {"name": "CLUSTER_ID", "value": CLUSTER_ID},
    {"name": "VOTERS", "value": VOTERS},
    {"name": "CONTROLLERS", "value": CONTROLLERS},
    {"name": "MARKS", "value": "kafka-marks"},
    {"name": "LEASE", "value": "kafka-stop"},
    {"name": "BROKER_PORT", "value": "9092"},
    {"name": "HEALTH_PORT", "value": "9094"},
    {"name": "GRACE_PERIOD", "value": "300"},
    {"name": "DISKS", "value": "/var/lib/kafka/data"},
    {"name": "LOG_FOLDER", "value": "kraft"},
    {"name": "RUN", "value": "/run/kafka-ha"},
    {"name": "PYTHONPATH", "value": "/opt/kafka-ha"},
    {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
    {"name": "MALLOC_ARENA_MAX", "value": "1"},
]
checker_container: Any = {
    "image": "python:3.13.2-alpine3.21",
    "imagePullPolicy": "IfNotPresent",
    "env": checker_environment,
    "terminationMessagePolicy": "FallbackToLogsOnError",
    "resources": {"requests": {"cpu": "10m", "memory": "20Mi"}, "limits": {"memory": "64Mi"}},
    "securityContext": restricted,
}
checker_mounts: Any = [
    {"name": "checker", "mountPath": "/opt/kafka-ha/checker", "readOnly": True},
    {"name": "run", "mountPath": "/run/kafka-ha"},
    {"name": "account", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True},
]
brokers_spec: Any = {
    "serviceName": "kafka-svc",
    "replicas": 3,
    "podManagementPolicy": "Parallel",
    "updateStrategy": {"type": "RollingUpdate"},
    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "selector": {"matchLabels": SELECTED},
    "template": {
        "metadata": {"labels": SELECTED, "annotations": {"kafka-ha/config-checksum": "1"}},
        "spec": {
            "serviceAccountName": "kafka",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 300,
            "enableServiceLinks": False,
            "dnsConfig": {"options": [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "3"}]},
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "minDomains": 3,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": SELECTED},
                },
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": SELECTED},
                },
            ],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "fsGroup": 1000,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
                "sysctls": [
                    {"name": "net.ipv4.tcp_keepalive_time", "value": "5"},
                    {"name": "net.ipv4.tcp_keepalive_intvl", "value": "1"},
                    {"name": "net.ipv4.tcp_keepalive_probes", "value": "3"},
                ],
            },
            "initContainers": [
                {
                    **checker_container,
                    "name": "prepare",
                    "command": ["python3", "-m", "checker.prepare"],
                    "volumeMounts": [*checker_mounts, {"name": "data", "mountPath": "/var/lib/kafka/data"}],
                },
                {
                    **checker_container,
                    "name": "checker",
                    "command": ["python3", "-m", "checker"],
                    "restartPolicy": "Always",
                    "volumeMounts": [
                        *checker_mounts,
                        {"name": "data", "mountPath": "/var/lib/kafka/data", "readOnly": True},
                    ],
                },
            ],
            "containers": [
                {
                    "name": "kafka",
                    "image": "apache/kafka:4.3.1",
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["bash", "/etc/kafka-ha/start.sh"],
                    "env": [
                        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                        {"name": "DOMAIN", "value": DOMAIN},
                        {"name": "LISTENERS", "value": "PLAINTEXT:9092 CONTROLLER:9093"},
                        {"name": "DISKS", "value": "/var/lib/kafka/data"},
                        {"name": "LOG_FOLDER", "value": "kraft"},
                        {"name": "CLUSTER_ID", "value": CLUSTER_ID},
                        {
                            "name": "METADATA_VERSION",
                            "valueFrom": {
                                "configMapKeyRef": {
                                    "name": "kafka-config",
                                    "key": "metadata-version",
                                    "optional": True,
                                }
                            },
                        },
                        {"name": "HEAP", "value": "512m"},
                        {"name": "JVM_OPTIONS", "value": ""},
                        {"name": "GRACE_PERIOD", "value": "300"},
                    ],
                    "ports": [
                        {"name": "client", "containerPort": 9092},
                        {"name": "controller", "containerPort": 9093},
                    ],
                    "startupProbe": {"tcpSocket": {"port": 9093}, "periodSeconds": 2, "failureThreshold": 1800},
                    "readinessProbe": {
                        "httpGet": {"path": "/ready", "port": 9094},
                        "periodSeconds": 2,
                        "timeoutSeconds": 2,
                        "failureThreshold": 2,
                    },
                    "lifecycle": {"preStop": {"exec": {"command": ["bash", "/etc/kafka-ha/stop.sh"]}}},
                    "resources": {
                        "requests": {"cpu": "250m", "memory": "1Gi"},
                        "limits": {"memory": "1Gi"},
                    },
                    "securityContext": restricted,
                    "volumeMounts": [
                        {"name": "data", "mountPath": "/var/lib/kafka/data"},
                        {"name": "config", "mountPath": "/etc/kafka-ha", "readOnly": True},
                        {"name": "run", "mountPath": "/run/kafka-ha"},
                        {"name": "tmp", "mountPath": "/tmp"},
                    ],
                }
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "kafka-config"}},
                {"name": "checker", "configMap": {"name": "kafka-checker"}},
                {"name": "tmp", "emptyDir": {}},
                {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                {
                    "name": "account",
                    "projected": {
                        "sources": [
                            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                            {
                                "configMap": {
                                    "name": "kube-root-ca.crt",
                                    "items": [{"key": "ca.crt", "path": "ca.crt"}],
                                }
                            },
                        ]
                    },
                },
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

tools: dict[str, pulumi.Input[str]] = {
    "NAMESPACE": "kafka",
    "BROKER_PODS": " ".join(BROKERS),
    "BOOTSTRAP": BOOTSTRAP,
    "SIMULATED": "yes",
    "KUBE_CONTEXT": "",
    "KUBECONFIG_CONTENT": cluster.stdout,
}
reach: dict[str, Any] = {
    "cluster": "straight",
    "connection": {name: value for name, value in tools.items() if name != "KUBECONFIG_CONTENT"},
    "kubeconfig": pulumi.Output.secret(cluster.stdout),
}
claims_environment: dict[str, pulumi.Input[str]] = {
    "CLAIMS": json.dumps(
        [
            {
                "path": "kafka-ha:kafka.storage",
                "stateful_set": "kafka",
                "replicas": 3,
                "templates": ["data"],
                "size": "10Gi",
                "storage_class": None,
            }
        ]
    ),
    "UNEVEN": "",
    "NAMESPACE": "kafka",
    **{name: tools[name] for name in ("SIMULATED", "KUBE_CONTEXT", "KUBECONFIG_CONTENT")},
}
members_environment: dict[str, pulumi.Input[str]] = {
    "MEMBERS": json.dumps(
        {
            "brokers": 3,
            "brokers_set": "kafka",
            "voters": 3,
            "first_voter": 0,
            "voters_set": "kafka",
            "throttle": 52428800,
            "automatic": True,
        }
    ),
    **tools,
}

image = ImageResource("image", {"image": "apache/kafka:4.3.1", **reach})

claims = local.Command(
    "claims",
    create="python3 -m components.scripts.claims grow",
    update="python3 -m components.scripts.claims grow",
    environment=claims_environment,
    opts=ResourceOptions(depends_on=[namespace], custom_timeouts=CustomTimeouts(create="1h", update="1h")),
)

evacuation = local.Command(
    "evacuation",
    create="python3 -m components.scripts.members evacuate",
    environment=members_environment,
    logging=local.Logging.STDERR,
    opts=ResourceOptions(depends_on=[namespace, image]),
)

brokers = k8s.apps.v1.StatefulSet(
    "brokers",
    metadata={"name": "kafka", "namespace": "kafka", "labels": SELECTED},
    spec=brokers_spec,
    opts=ResourceOptions(
        provider=provider,
        deleted_with=cluster,
        depends_on=[
            *(account, role, role_binding, zones_role, zones_role_binding),
            *(checker, marks, service, *addresses, config, budget, image, claims, evacuation),
        ],
        ignore_changes=["spec.volumeClaimTemplates"],
        custom_timeouts=CustomTimeouts(create="30m", update="30m"),
    ),
)

new_claims = local.Command(
    "new-claims",
    create="python3 -m components.scripts.claims grow",
    update="python3 -m components.scripts.claims grow",
    environment=claims_environment,
    opts=ResourceOptions(depends_on=[brokers], custom_timeouts=CustomTimeouts(create="1h", update="1h")),
)

members = local.Command(
    "members",
    create="python3 -m components.scripts.members settle",
    environment=members_environment,
    logging=local.Logging.STDERR,
    opts=ResourceOptions(depends_on=[brokers]),
)

rebalance = local.Command(
    "rebalance",
    create="python3 -m components.scripts.members rebalance",
    environment=members_environment,
    logging=local.Logging.STDERR,
    opts=ResourceOptions(depends_on=[members]),
)

settings = SettingsResource(
    "settings",
    {"settings": {"min.insync.replicas": "2"}, **reach},
    ResourceOptions(depends_on=[members], deleted_with=brokers),
)

topic = TopicResource(
    "topic",
    {
        "name": "orders",
        "partitions": 6,
        "replicationFactor": 3,
        "config": {"min.insync.replicas": "2"},
        "allowDeletion": False,
        "throttle": 52428800,
        **reach,
    },
    ResourceOptions(depends_on=[members], deleted_with=brokers),
)

pulumi.export("kubeconfig", pulumi.Output.secret(cluster.stdout))
pulumi.export("zones", ZONES)
pulumi.export("bootstrap", BOOTSTRAP)
pulumi.export("disruptionBudget", {"name": budget.metadata.name, "maxUnavailable": 1})
pulumi.export("clusterId", CLUSTER_ID)
pulumi.export("topics", ["orders"])
pulumi.export("clientProperties", CLIENT_PROPERTIES)
