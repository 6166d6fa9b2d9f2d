"""The drill's pod and what it is told: the clients of Kafka's own image, and the monitor. Pure."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.listeners import DRILL_LABELS, TLS_FOLDER, TOOLS

Manifest = dict[str, Any]

NAME = "kafka-ha-drill"
"""Of the pod and its ConfigMap, and the beginning of the topic's and the groups' names."""
LABELS: Mapping[str, str] = DRILL_LABELS
"""Of all objects that a drill creates. None of Kafka's own labels: no budget or Service takes the pod for a broker."""
FOLDER = "/drill"
"""Where the pod's programs write."""
CLIENTS = ("producer", "consumer", "reader")
MONITOR = "monitor"
PYTHON_IMAGE = "python:3.13.2-alpine3.21"
"""The monitor's, where the brokers have no checker whose image is there already."""

_PROGRAM = "/opt/kafka-ha"
PROPERTIES = f"{_PROGRAM}/client.properties"
"""Of the clients, in the pod."""
_ROOT = Path(__file__).resolve().parents[2]
# Path in the pod by the ConfigMap's key. Packages without __init__: namespace packages.
_FILES = {
    "load.sh": "drills/pods/load.sh",
    "monitor.py": "drills/pods/monitor.py",
    "wire.py": "components/checker/wire.py",
}
_USER = 1000
_RESTRICTED: Manifest = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
# What the tools' own defaults make worse than a client's: they set retries to 0.
_TOOL_DEFAULTS = {"enable.idempotence": "true", "retries": "2147483647"}


def config_map(client_properties: str, *, secured: bool = False) -> Manifest:
    """The pod's programs, and the clients' settings; with those by which a node of Kafka comes in, where `secured`."""
    login = TOOLS | {"ssl.keystore.location": f"{FOLDER}/node.pem"} if secured else {}
    data = {key: (_ROOT / path).read_text() for key, path in _FILES.items()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "labels": dict(LABELS)},
        "data": {**data, "client.properties": client_properties + _lines(login)},
    }


def pod(
    node: str | None,
    kafka_image: str,
    python_image: str,
    topic: str,
    bootstrap: str,
    certificate: str | None = None,
) -> Manifest:
    """Three clients that wait to be told, and the monitor, which begins at once. On that node; wherever the
    scheduler likes when None. `certificate`: the Secret by which it comes in. It keeps to Kubernetes' `restricted`
    security standard, as Kafka's namespace may ask for.
    """
    mounts: list[Manifest] = [
        {"name": "program", "mountPath": _PROGRAM, "readOnly": True},
        {"name": "drill", "mountPath": FOLDER},
    ]
    items = [{"key": key, "path": path} for key, path in _FILES.items()]
    properties = {"key": "client.properties", "path": "client.properties"}
    containers = [*(_client(role, kafka_image) for role in CLIENTS), _monitor(python_image, topic, bootstrap)]
    volumes: list[Manifest] = [
        {"name": "program", "configMap": {"name": NAME, "items": [*items, properties]}},
        {"name": "drill", "emptyDir": {}},
    ]
    if certificate:
        volumes.append({"name": "tls", "secret": {"secretName": certificate, "defaultMode": 0o440}})
        mounts.append({"name": "tls", "mountPath": TLS_FOLDER, "readOnly": True})
        for container in containers:
            container["env"].append({"name": "TLS", "value": TLS_FOLDER})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "labels": dict(LABELS)},
        "spec": {
            **({"affinity": _on(node)} if node else {}),
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            # A lost DNS server is given up after a second.
            "dnsConfig": {"options": [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "3"}]},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [one | {"volumeMounts": mounts} for one in containers],
            "volumes": volumes,
        },
    }


def _on(node: str) -> Manifest:
    """That node, by its name. Not `nodeName`: the scheduler checks that the pod fits there."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


def _client(role: str, image: str) -> Manifest:
    return {
        "name": role,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", f"{_PROGRAM}/drills/pods/load.sh", role],
        "env": [
            {"name": "FOLDER", "value": FOLDER},
            {"name": "PROPERTIES", "value": PROPERTIES},
            {"name": "LOG_DIR", "value": FOLDER},
            {"name": "KAFKA_HEAP_OPTS", "value": "-Xmx128m"},
            {"name": "KAFKA_JVM_PERFORMANCE_OPTS", "value": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": _RESTRICTED,
    }


def _monitor(image: str, topic: str, bootstrap: str) -> Manifest:
    program = f"exec python3 -m drills.pods.monitor {topic} {bootstrap}"
    return {
        "name": MONITOR,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"{program} >{FOLDER}/{MONITOR}.jsonl 2>{FOLDER}/{MONITOR}.log"],
        "env": [{"name": "PYTHONPATH", "value": _PROGRAM}, {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": _RESTRICTED,
    }


def properties(given: str) -> str:
    """The clients' settings, those that are given over what the tools need to be clients with Kafka's defaults."""
    lines = (line.strip() for line in given.splitlines())
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return _lines(_TOOL_DEFAULTS | dict(pairs))


def _lines(given: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in given.items())


def keys_for(partitions: int) -> int:
    """How many keys, from "0" on, it takes for each partition to get records: clients place a record by the hash of
    its key.
    """
    hit: set[int] = set()
    for count in itertools.count(1):
        hit.add((murmur2(str(count - 1).encode()) & 0x7FFFFFFF) % partitions)
        if len(hit) == partitions:
            return count
    raise AssertionError("count() ends")


def murmur2(data: bytes) -> int:
    """The hash of Kafka's clients (org.apache.kafka.common.utils.Utils), as an unsigned number of 32 bits."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    hashed = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * multiplier & mask
        part = (part ^ part >> 24) * multiplier & mask
        hashed = hashed * multiplier & mask ^ part
    if whole < len(data):
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    hashed = (hashed ^ hashed >> 13) * multiplier & mask
    return hashed ^ hashed >> 15
