"""What Prometheus and Grafana find in the cluster, as plain data. Pure."""

from typing import Any

import yaml

from components.kafka_plan import KafkaPlan
from components.manifests import HEALTH, METRICS, Manifest, labels
from components.observability.alerts import metrics_of, rule_groups
from components.observability.dashboard import dashboard

MONITORING_VERSION = "monitoring.coreos.com/v1"
_INTERVAL = "30s"


def pod_monitor(plan: KafkaPlan) -> Manifest:
    """Scrapes Kafka's containers and the checkers. A PodMonitor, since no Service of the nodes has these ports."""
    endpoints = [{"port": port, "path": "/metrics", "interval": _INTERVAL} for port in (METRICS, HEALTH)]
    return {
        "metadata": _metadata(plan, plan.settings.name, metrics_of(plan).labels),
        "spec": {"selector": {"matchLabels": labels(plan)}, "podMetricsEndpoints": endpoints},
    }


def prometheus_rule(plan: KafkaPlan) -> Manifest:
    """The alerts, for the Prometheus operator."""
    return {
        "metadata": _metadata(plan, plan.settings.name, metrics_of(plan).labels),
        "spec": {"groups": rule_groups(plan)},
    }


def alerts_config_map(plan: KafkaPlan) -> Manifest:
    """The alerts as a file of rules, for a Prometheus without the operator."""
    rules = yaml.safe_dump({"groups": rule_groups(plan)}, sort_keys=False, width=1000)
    return {"metadata": _metadata(plan, f"{plan.settings.name}-alerts"), "data": {"rules.yaml": rules}}


def dashboard_config_map(plan: KafkaPlan) -> Manifest:
    """The dashboard, which Grafana's sidecar loads by its labels."""
    name = f"{plan.settings.name}-dashboard"
    file = f"{plan.settings.namespace}-{plan.settings.name}.json"
    return {"metadata": _metadata(plan, name, metrics_of(plan).dashboard_labels), "data": {file: dashboard(plan)}}


def _metadata(plan: KafkaPlan, name: str, more: dict[str, str] | None = None) -> dict[str, Any]:
    return {"name": name, "namespace": plan.settings.namespace, "labels": {**labels(plan), **(more or {})}}
