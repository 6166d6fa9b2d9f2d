"""This project's own manifests, as somebody would hand them to kubectl."""

from typing import Any

from components import manifests
from components.kafka_plan import KafkaPlan, plan_kafka
from components.kafka_settings import KafkaSettings

RBAC = "rbac.authorization.k8s.io/v1"


def own_objects(zones: tuple[str, ...] = ("a", "b", "c"), **settings: Any) -> list[dict[str, Any]]:
    """All objects of a Kafka cluster with these settings, which the rules of settings have not seen."""
    return rendered(plan_kafka(KafkaSettings.model_validate(settings), zones, "test"))


def rendered(plan: KafkaPlan) -> list[dict[str, Any]]:
    """All objects of a planned Kafka cluster."""
    found = [
        ("v1", "Namespace", manifests.namespace(plan)),
        ("v1", "ServiceAccount", manifests.service_account(plan)),
        (RBAC, "Role", manifests.role(plan)),
        (RBAC, "RoleBinding", manifests.role_binding(plan)),
        (RBAC, "ClusterRole", manifests.zone_reader(plan)),
        (RBAC, "ClusterRoleBinding", manifests.zone_reader_binding(plan)),
        ("v1", "ConfigMap", manifests.checker_config_map(plan)),
        ("v1", "ConfigMap", manifests.marks_config_map(plan)),
        ("v1", "ConfigMap", manifests.client_config_map(plan)),
    ]
    for nodes in plan.groups:
        found += [
            ("v1", "Service", manifests.service(plan, nodes)),
            *(("v1", "Service", manifests.node_service(plan, nodes, pod)) for pod in nodes.pods),
            ("v1", "ConfigMap", manifests.config_map(plan, nodes)),
            ("policy/v1", "PodDisruptionBudget", manifests.disruption_budget(plan, nodes)),
            ("apps/v1", "StatefulSet", manifests.stateful_set(plan, nodes)),
        ]
    if plan.settings.security:
        found += [
            ("v1", "Secret", manifests.tls_secret(plan)),
            ("networking.k8s.io/v1", "NetworkPolicy", manifests.network_policy(plan)),
        ]
    return [{"apiVersion": version, "kind": kind, **content} for version, kind, content in found]
