"""What Kafka needs of a cluster that is there already: nodes in each zone, storage, rights. Pure: from what the cluster
answers to sentences.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from components.kafka_settings import KafkaSettings, NodePool, Storage, Toleration
from components.manifests import ZONE_LABEL

Objects = Sequence[dict[str, Any]]

_KAFKA = "kafka-ha:kafka"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_MONITORING = "monitoring.coreos.com"
_KEEPS_AWAY = ("NoSchedule", "NoExecute")
_SHOWN = 3  # nodes whose reason is told


@dataclass(frozen=True)
class Right:
    """Something that must be allowed, as Kubernetes' SelfSubjectAccessReview asks for it."""

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""
    namespace: str = ""
    """Empty for what belongs to no namespace."""

    def __str__(self) -> str:
        resource = "/".join(part for part in (self.resource, self.subresource) if part)
        name = ".".join(part for part in (resource, self.group) if part)
        return f"{self.verb} {name}"


def rights(kafka: KafkaSettings, *, pods_know_their_zone: bool) -> list[Right]:
    """What the program does on the cluster."""
    rbac = "rbac.authorization.k8s.io"
    made = [
        ("configmaps", ""),
        ("services", ""),
        ("serviceaccounts", ""),
        ("statefulsets", "apps"),
        ("poddisruptionbudgets", "policy"),
        ("roles", rbac),
        ("rolebindings", rbac),
    ]
    if kafka.security:
        made += [("secrets", "")]
        made += [("networkpolicies", "networking.k8s.io")] if kafka.security.network_policy else []
        made += [("certificates", "cert-manager.io")] if kafka.security.issuer else []
    if kafka.metrics and kafka.metrics.prometheus_operator:
        made += [("podmonitors", _MONITORING), ("prometheusrules", _MONITORING)]
    wide = [("namespaces", "")]
    if not pods_know_their_zone:
        wide += [("clusterroles", rbac), ("clusterrolebindings", rbac)]
    verbs = ("create", "patch", "delete")
    return [
        *(Right(verb, resource, group, namespace=kafka.namespace) for resource, group in made for verb in verbs),
        *(Right(verb, resource, group) for resource, group in wide for verb in verbs),
        Right("patch", "persistentvolumeclaims", namespace=kafka.namespace),
        Right("create", "pods", subresource="exec", namespace=kafka.namespace),
        Right("get", "pods", subresource="proxy", namespace=kafka.namespace),
    ]


def denial(denied: Sequence[Right], context: str | None) -> str:
    """The sentence for rights that are lacking."""
    return (
        f"kafka-ha:cluster.context: got {context or 'the current one'}, but its user may not "
        f"{', '.join(map(str, denied))}. Grant it that, or name a context whose user may."
    )


def lacking(kafka: KafkaSettings, zones: Sequence[str], found: Objects) -> list[str]:
    """What keeps the nodes of Kafka from being placed, a sentence each. `found`: the cluster's nodes and storage
    classes.
    """
    nodes = [item for item in found if item["kind"] == "Node"]
    return [*_without_nodes(kafka.node_pool, zones, nodes), *_without_class(kafka, found)]


def remarks(kafka: KafkaSettings, zones: Sequence[str], found: Objects) -> list[str]:
    """What may be so, and should be known, a sentence each."""
    return [*_crowded(kafka, zones, found), *_rigid(kafka, found)]


def is_there(kafka: KafkaSettings, found: Objects) -> bool:
    """Whether Kafka's nodes have been deployed already."""
    return any(
        item["kind"] == "StatefulSet" and item["metadata"]["name"] in (kafka.name, f"{kafka.name}-controller")
        for item in found
    )


def _without_nodes(pool: NodePool, zones: Sequence[str], nodes: Objects) -> Iterator[str]:
    for zone in zones:
        there = [node for node in nodes if _labels(node).get(ZONE_LABEL) == zone]
        reasons = {node["metadata"]["name"]: _unfit(node, pool) for node in there}
        if all(reasons.values()):  # also of none
            shown = "; ".join([f"{name} {reason}" for name, reason in reasons.items()][:_SHOWN]) or "there is none"
            more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
            yield (
                f"{_KAFKA}.nodePool: in {zone} no node takes Kafka's pods: {shown}{more}. "
                "Make one ready there, or set nodeSelector and tolerations that fit."
            )


def _unfit(node: dict[str, Any], pool: NodePool) -> str:
    """Why a node takes no pod of Kafka; empty when it does."""
    labels = _labels(node)
    if missing := [f"{key}={value}" for key, value in pool.node_selector.items() if labels.get(key) != value]:
        return f"lacks the label {', '.join(missing)}"
    if node["spec"].get("unschedulable"):
        return "is cordoned"
    conditions = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions", ())}
    if conditions.get("Ready") != "True":
        return "is not ready"
    for taint in node["spec"].get("taints", ()):
        if taint["effect"] in _KEEPS_AWAY and not any(_bears(each, taint) for each in pool.tolerations):
            value = f"={taint['value']}" if taint.get("value") else ""
            return f"has the taint {taint['key']}{value}:{taint['effect']}"
    return ""


def _bears(toleration: Toleration, taint: dict[str, Any]) -> bool:
    """As the scheduler decides it."""
    if toleration.effect not in (None, taint["effect"]):
        return False
    if toleration.key is None:
        return toleration.operator == "Exists"
    same = toleration.operator == "Exists" or (toleration.value or "") == taint.get("value", "")
    return toleration.key == taint["key"] and same


def _classes(kafka: KafkaSettings, found: Objects) -> Iterator[tuple[str, Storage, dict[str, Any] | None]]:
    """The storage class of each group of nodes, with the path of its settings."""
    classes = [item for item in found if item["kind"] == "StorageClass"]
    yield f"{_KAFKA}.storage", kafka.storage, _class_of(kafka.storage, classes)
    if controllers := kafka.dedicated_controllers:
        path = f"{_KAFKA}.dedicatedControllers.storage"
        yield path, controllers.storage, _class_of(controllers.storage, classes)


def _without_class(kafka: KafkaSettings, found: Objects) -> Iterator[str]:
    names = ", ".join(sorted(item["metadata"]["name"] for item in found if item["kind"] == "StorageClass")) or "none"
    for path, storage, item in _classes(kafka, found):
        given = f"{path}.storageClass: got {storage.storage_class or 'nothing'}"
        if item is None:
            what = "there is no such class" if storage.storage_class else "the cluster has no default class"
            yield f"{given}, but {what}; there are: {names}. Set it to one of them."
        elif item.get("volumeBindingMode", "Immediate") != "WaitForFirstConsumer":
            yield (
                f"{given}, but {item['metadata']['name']} makes a volume before its broker has a node, in any zone. "
                "Name a class with volumeBindingMode: WaitForFirstConsumer."
            )


def _class_of(storage: Storage, classes: Objects) -> dict[str, Any] | None:
    if storage.storage_class:
        return next((item for item in classes if item["metadata"]["name"] == storage.storage_class), None)
    defaults = [item for item in classes if item["metadata"].get("annotations", {}).get(_DEFAULT_CLASS) == "true"]
    # Of several, Kubernetes takes the newest.
    return max(defaults, key=lambda item: str(item["metadata"].get("creationTimestamp", "")), default=None)


def _crowded(kafka: KafkaSettings, zones: Sequence[str], found: Objects) -> Iterator[str]:
    most = math.ceil(kafka.brokers / len(zones))
    for zone in zones:
        fit = [
            node
            for node in found
            if node["kind"] == "Node" and _labels(node).get(ZONE_LABEL) == zone and not _unfit(node, kafka.node_pool)
        ]
        if 0 < len(fit) < most:
            yield (
                f"{_KAFKA}.brokers: up to {most} brokers come to {zone}, where {len(fit)} "
                f"{'node takes' if len(fit) == 1 else 'nodes take'} them: some share a node and are lost with it, "
                "or wait."
            )


def _rigid(kafka: KafkaSettings, found: Objects) -> Iterator[str]:
    for path, _, item in _classes(kafka, found):
        if item and not item.get("allowVolumeExpansion"):
            yield f"{path}.size: the storage class {item['metadata']['name']} grows no volumes: choose it for good."


def _labels(item: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = item["metadata"].get("labels", {})
    return labels
