"""Creates what Prometheus and Grafana find of a Kafka cluster."""

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from components.kafka_plan import KafkaPlan
from components.observability import manifests


def monitor(name: str, plan: KafkaPlan, opts: ResourceOptions) -> None:
    """The alerts and the dashboard, and what the Prometheus operator reads where it is there; nothing without
    `kafka.metrics`.
    """
    metrics = plan.settings.metrics
    if metrics is None:
        return
    k8s.core.v1.ConfigMap(f"{name}-alerts", **manifests.alerts_config_map(plan), opts=opts)
    k8s.core.v1.ConfigMap(f"{name}-dashboard", **manifests.dashboard_config_map(plan), opts=opts)
    if metrics.prometheus_operator:
        for kind, manifest in (
            ("PodMonitor", manifests.pod_monitor(plan)),
            ("PrometheusRule", manifests.prometheus_rule(plan)),
        ):
            k8s.apiextensions.CustomResource(
                f"{name}-{kind.lower()}",
                api_version=manifests.MONITORING_VERSION,
                kind=kind,
                **manifest,
                opts=opts,
            )
