"""From a plan to Kubernetes manifests, as plain data. Pure: the components create them, the rules and tests
read them.
"""

from typing import Any

from components.kafka_plan import CLIENT_PORT, CONTROLLER_PORT, DATA, KafkaPlan

Manifest = dict[str, Any]

ZONE_LABEL = "topology.kubernetes.io/zone"
HOST_LABEL = "kubernetes.io/hostname"
_CONFIG = "/etc/kafka-ha"
_USER = 1000  # appuser of the official image
_PROBE_PERIOD = 2  # seconds


def labels(plan: KafkaPlan) -> dict[str, str]:
    """The labels that select the brokers' pods."""
    return {"app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": plan.settings.name}


def namespace(plan: KafkaPlan) -> Manifest:
    """The namespace, which admits only pods that keep to Kubernetes' `restricted` security standard."""
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"metadata": {"name": plan.settings.namespace, "labels": enforce}}


def service(plan: KafkaPlan) -> Manifest:
    """The headless Service that gives each broker its address.

    `publishNotReadyAddresses`: the quorum must find its voters before any of them is ready.
    """
    return {
        "metadata": _metadata(plan, plan.service),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": labels(plan),
            "ports": [{"name": name, "port": port} for name, port in _ports().items()],
        },
    }


def disruption_budget(plan: KafkaPlan) -> Manifest:
    """The budget that refuses an eviction which writes or the quorum would not outlive."""
    return {
        "metadata": _metadata(plan, plan.settings.name),
        "spec": {
            "maxUnavailable": plan.settings.disruption_budget,
            "selector": {"matchLabels": labels(plan)},
        },
    }


def config_map(plan: KafkaPlan) -> Manifest:
    """The files that every broker starts from."""
    return {
        "metadata": _metadata(plan, f"{plan.settings.name}-config"),
        "data": {
            "server.properties": plan.server_properties,
            "start.sh": plan.start_script,
            "log4j2.yaml": plan.logging,
        },
    }


def stateful_set(plan: KafkaPlan) -> Manifest:
    """The brokers.

    `Parallel`: the first broker is ready only with a quorum, which ordered starts would never form.
    The claims outlive the StatefulSet: deleting data is a step of its own.
    """
    kafka = plan.settings
    return {
        "metadata": _metadata(plan, kafka.name),
        "spec": {
            "serviceName": plan.service,
            "replicas": kafka.brokers,
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "selector": {"matchLabels": labels(plan)},
            "template": {
                "metadata": {
                    "labels": labels(plan),
                    # A changed file rolls the brokers; Kubernetes alone would leave them on the old one.
                    "annotations": {"kafka-ha/config-checksum": plan.checksum},
                },
                "spec": _pod(plan),
            },
            "volumeClaimTemplates": [_claim(plan)],
        },
    }


def _pod(plan: KafkaPlan) -> Manifest:
    kafka = plan.settings
    return {
        "terminationGracePeriodSeconds": kafka.termination_grace_period.seconds,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # else the Service's KAFKA_… variables would be taken for settings
        "topologySpreadConstraints": [
            # minDomains: while a zone has no node, its broker waits instead of doubling up in another zone.
            _spread(plan, ZONE_LABEL) | {"minDomains": min(len(plan.zones), kafka.brokers)},
            _spread(plan, HOST_LABEL),
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(plan)],
        "volumes": [
            {"name": "config", "configMap": {"name": f"{kafka.name}-config"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _container(plan: KafkaPlan) -> Manifest:
    kafka = plan.settings
    domain = f"{plan.service}.{kafka.namespace}.svc.cluster.local"
    listening = {"tcpSocket": {"port": CLIENT_PORT}, "periodSeconds": _PROBE_PERIOD}
    environment = {
        "CLUSTER_ID": plan.cluster_id,
        "DOMAIN": domain,
        "VOTERS": str(kafka.controllers),
        "HEAP": f"{int(kafka.resources.heap.amount) // 2**20}m",
    }
    return {
        "name": "kafka",
        "image": kafka.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", f"{_CONFIG}/start.sh"],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"name": name, "containerPort": port} for name, port in _ports().items()],
        # No liveness probe: the process is process 1, and a restart helps no broker that waits for its quorum.
        "startupProbe": listening | {"failureThreshold": kafka.startup_timeout.seconds // _PROBE_PERIOD},
        "readinessProbe": listening,
        "resources": {
            "requests": {"cpu": str(kafka.resources.cpu), "memory": str(kafka.resources.memory)},
            "limits": {"memory": str(kafka.resources.memory)},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "data", "mountPath": DATA},
            {"name": "config", "mountPath": _CONFIG, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _claim(plan: KafkaPlan) -> Manifest:
    storage = plan.settings.storage
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(storage.size)}},
    }
    if storage.storage_class:
        spec["storageClassName"] = storage.storage_class
    return {"metadata": {"name": "data"}, "spec": spec}


def _spread(plan: KafkaPlan, topology_key: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": topology_key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels(plan)},
    }


def _metadata(plan: KafkaPlan, name: str) -> Manifest:
    return {"name": name, "namespace": plan.settings.namespace, "labels": labels(plan)}


def _ports() -> dict[str, int]:
    return {"client": CLIENT_PORT, "controller": CONTROLLER_PORT}
