"""The alerts: what is wrong, for how long until it is told, and how grave it is; each has its runbook.

`critical` asks for somebody at once: records can't be written or read, or may be lost. `warning` can wait for the day:
one more loss would be critical, or maintenance is held up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from components.kafka_plan import KafkaPlan
from components.metrics_settings import Metrics
from components.security_settings import Security

RUNBOOKS = "docs/runbooks"


@dataclass(frozen=True)
class Alert:
    """One alert; its runbook is NAME.md."""

    name: str
    severity: Literal["critical", "warning"]
    lasting: str
    """How long `expr` must hold before it is told, as Prometheus writes it."""
    expr: str
    summary: str


def selector(plan: KafkaPlan) -> str:
    """The series of all nodes: by namespace and pod, labels that every common configuration of Prometheus sets."""
    names = "|".join(nodes.name for nodes in plan.groups)
    return f'namespace="{plan.settings.namespace}",pod=~"({names})-[0-9]+"'


def budgets(plan: KafkaPlan) -> str:
    """The series of kube-state-metrics about the disruption budgets."""
    names = "|".join(nodes.name for nodes in plan.groups)
    return f'namespace="{plan.settings.namespace}",poddisruptionbudget=~"{names}"'


def voting(plan: KafkaPlan) -> str:
    """How many nodes vote in the quorum, and follow its leader or lead."""
    return f'count(kafka_server_raftmetrics_current_state{{{selector(plan)},state=~"leader|follower"}})'


def metrics_of(plan: KafkaPlan) -> Metrics:
    """The settings of a plan that has metrics."""
    metrics = plan.settings.metrics
    assert metrics, "nothing is watched without kafka.metrics"
    return metrics


def alerts(plan: KafkaPlan) -> tuple[Alert, ...]:
    """Of one cluster."""
    return (*_partitions(plan), *_quorum(plan), *_nodes(plan))


def _partitions(plan: KafkaPlan) -> Iterator[Alert]:
    nodes = selector(plan)
    yield Alert(
        "KafkaPartitionsOffline",
        "critical",
        "1m",
        f"max(kafka_controller_kafkacontroller_offlinepartitionscount{{{nodes}}}) > 0",
        "{{ $value }} partitions have no leader: nothing can be written to them or read from them.",
    )
    yield Alert(
        "KafkaPartitionsUnderMinIsr",
        "critical",
        "1m",
        f"sum(kafka_server_replicamanager_underminisrpartitioncount{{{nodes}}}) > 0",
        "{{ $value }} partitions have fewer replicas in sync than their minimum: writes with acks=all are refused.",
    )
    yield Alert(
        "KafkaPartitionsUnderReplicated",
        "warning",
        "5m",
        f"sum(kafka_server_replicamanager_underreplicatedpartitions{{{nodes}}}) > 0",
        "{{ $value }} partitions have a replica that is not in sync.",
    )
    yield Alert(
        "KafkaUncleanLeaderElection",
        "critical",
        "0m",
        # Each controller counts all of them.
        f"max(increase(kafka_controller_controllerstats_uncleanleaderelections_total{{{nodes}}}[10m])) > 0",
        "A replica that was not in sync became a leader: acknowledged records may be lost.",
    )


def _quorum(plan: KafkaPlan) -> Iterator[Alert]:
    nodes = selector(plan)
    active = f"sum(kafka_controller_kafkacontroller_activecontrollercount{{{nodes}}})"
    voters = f"max(kafka_server_raftmetrics_number_of_voters{{{nodes}}})"
    yield Alert(
        "KafkaNoActiveController",
        "critical",
        "1m",
        f"{active} == 0",
        "No controller is active: no leader is elected, no topic changed.",
    )
    yield Alert(
        "KafkaSeveralActiveControllers",
        "critical",
        "2m",
        f"{active} > 1",
        "{{ $value }} controllers take themselves for the active one.",
    )
    yield Alert(
        "KafkaQuorumWithoutMajority",
        "critical",
        "1m",
        f"({voting(plan)} or vector(0)) <= {voters} / 2",
        "Only {{ $value }} voters of the quorum follow a leader, which is no majority.",
    )
    yield Alert(
        "KafkaVoterMissing",
        "warning",
        "5m",
        f"({voting(plan)} or vector(0)) < {plan.settings.controllers}",
        f"Only {{{{ $value }}}} of {plan.settings.controllers} voters of the quorum follow its leader.",
    )


def _nodes(plan: KafkaPlan) -> Iterator[Alert]:
    nodes, kafka, hours = selector(plan), plan.settings, metrics_of(plan).disk_hours
    count = sum(group.replicas for group in plan.groups)
    yield Alert(
        "KafkaBrokerDown",
        "warning",
        "5m",
        f"max(kafka_controller_kafkacontroller_activebrokercount{{{nodes}}}) < {kafka.brokers}",
        f"Only {{{{ $value }}}} of {kafka.brokers} brokers are registered and alive.",
    )
    yield Alert(
        "KafkaMetricsMissing",
        "warning",
        "10m",
        f"(count(kafka_server_raftmetrics_number_of_voters{{{nodes}}}) or vector(0)) < {count}",
        f"Only {{{{ $value }}}} of {count} nodes tell metrics: the others are down, or have no exporter.",
    )
    yield Alert(
        "KafkaDiskFilling",
        "warning",
        "15m",
        f"predict_linear(kafka_disk_available_bytes{{{nodes}}}[6h], {hours} * 3600) < 0",
        f"The disk {{{{ $labels.disk }}}} of {{{{ $labels.pod }}}} is full within {hours} hours at its pace.",
    )
    yield Alert(
        "KafkaDiskAlmostFull",
        "critical",
        "5m",
        f"kafka_disk_available_bytes{{{nodes}}} / kafka_disk_size_bytes < 0.1",
        "The disk {{ $labels.disk }} of {{ $labels.pod }} has {{ $value | humanizePercentage }} left.",
    )
    yield Alert(
        "KafkaLogDirectoryOffline",
        "critical",
        "1m",
        f"kafka_log_logmanager_offlinelogdirectorycount{{{nodes}}} > 0",
        "{{ $value }} disks of {{ $labels.pod }} failed: their replicas are offline.",
    )
    days = (kafka.security or Security()).certificate_days
    yield Alert(
        "KafkaCertificateEnds",
        "warning",
        "1h",
        # Half of the time in which a deployment renews it.
        f"kafka_certificate_end_seconds{{{nodes}}} - time() < {days} * 86400 / 6",
        "The certificate of {{ $labels.pod }} ends in {{ $value | humanizeDuration }}.",
    )
    yield Alert(
        "KafkaNoDisruptionAllowed",
        "warning",
        "30m",
        f"kube_poddisruptionbudget_status_pod_disruptions_allowed{{{budgets(plan)}}} == 0",
        "The budget {{ $labels.poddisruptionbudget }} lets no pod go: drains and upgrades of nodes wait.",
    )


def rule_groups(plan: KafkaPlan) -> list[dict[str, Any]]:
    """As a file of rules, and a PrometheusRule, hold them."""
    return [
        {"name": f"{plan.settings.namespace}-{plan.settings.name}", "rules": [_rule(plan, one) for one in alerts(plan)]}
    ]


def runbook_url(plan: KafkaPlan, alert: Alert) -> str:
    """Where its runbook is."""
    return f"{metrics_of(plan).runbooks or RUNBOOKS}/{alert.name}.md"


def _rule(plan: KafkaPlan, alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasting,
        "labels": {"severity": alert.severity, "kafka": plan.settings.name},
        "annotations": {"summary": alert.summary, "runbook_url": runbook_url(plan, alert)},
    }
