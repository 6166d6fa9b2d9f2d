"""The Grafana dashboard as data: rows of panels, each a title, a unit and its queries."""

import json
from dataclasses import dataclass
from typing import Any

from components.kafka_plan import KafkaPlan
from components.observability.alerts import budgets, selector, voting

_WIDTH, _HEIGHT = 8, 7  # of 24 columns
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """A query and how its series are named."""

    expr: str
    legend: str = "{{pod}}"


@dataclass(frozen=True)
class Panel:
    """One panel; a `stat` shows the latest value alone."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    good: int | None = None
    """Of a `stat`: the value that is green; others are red."""


def panels(plan: KafkaPlan) -> tuple[Panel, ...]:
    """In the order in which they are read: is it whole, what holds, how much goes through, how much room is left."""
    nodes, kafka = selector(plan), plan.settings

    def one(title: str, expr: str, good: int) -> Panel:
        return Panel(title, (Query(expr, ""),), kind="stat", good=good)

    def each(title: str, metric: str, unit: str = "short") -> Panel:
        return Panel(title, (Query(f"{metric}{{{nodes}}}"),), unit)

    def rate(title: str, metric: str, unit: str) -> Panel:
        return Panel(title, (Query(f"rate({metric}{{{nodes}}}[$__rate_interval])"),), unit)

    return (
        one("Brokers", f"max(kafka_controller_kafkacontroller_activebrokercount{{{nodes}}})", kafka.brokers),
        one("Active controllers", f"sum(kafka_controller_kafkacontroller_activecontrollercount{{{nodes}}})", 1),
        one("Offline partitions", f"max(kafka_controller_kafkacontroller_offlinepartitionscount{{{nodes}}})", 0),
        one("Under minimum ISR", f"sum(kafka_server_replicamanager_underminisrpartitioncount{{{nodes}}})", 0),
        one("Under-replicated", f"sum(kafka_server_replicamanager_underreplicatedpartitions{{{nodes}}})", 0),
        one("Voters that follow", voting(plan), kafka.controllers),
        each("In sync", "kafka_in_sync"),
        Panel(
            "ISR changes",
            tuple(
                Query(
                    f"increase(kafka_server_replicamanager_isr{what}_total{{{nodes}}}[$__rate_interval])",
                    f"{{{{pod}}}} {what}",
                )
                for what in ("shrinks", "expands")
            ),
        ),
        each("Leaders", "kafka_server_replicamanager_leadercount"),
        each("Leader of the quorum, as seen", "kafka_server_raftmetrics_current_leader"),
        each("Epoch of the quorum", "kafka_server_raftmetrics_current_epoch"),
        Panel(
            "Lag of the metadata log",
            (
                Query(
                    f"scalar(max(kafka_server_raftmetrics_log_end_offset{{{nodes}}}))"
                    f" - kafka_server_raftmetrics_log_end_offset{{{nodes}}}"
                ),
            ),
        ),
        rate("Bytes in", "kafka_server_brokertopicmetrics_bytesin_total", "Bps"),
        rate("Bytes out", "kafka_server_brokertopicmetrics_bytesout_total", "Bps"),
        rate("Records in", "kafka_server_brokertopicmetrics_messagesin_total", "cps"),
        Panel(
            "Produce, 99th percentile",
            (Query(f'kafka_network_requestmetrics_totaltimems{{{nodes},request="Produce"}}'),),
            "ms",
        ),
        each(
            "Request handlers idle", "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", "percentunit"
        ),
        each("Partitions that are moved", "kafka_server_replicamanager_reassigningpartitions"),
        Panel(
            "Disk used",
            (
                Query(
                    f"1 - kafka_disk_available_bytes{{{nodes}}} / kafka_disk_size_bytes",
                    "{{pod}} {{disk}}",
                ),
            ),
            "percentunit",
        ),
        Panel(
            "Evictions that the budgets allow",
            (
                Query(
                    f"kube_poddisruptionbudget_status_pod_disruptions_allowed{{{budgets(plan)}}}",
                    "{{poddisruptionbudget}}",
                ),
            ),
        ),
        Panel("Memory of the JVM", (Query(f"jvm_memory_used_bytes{{{nodes}}}", "{{pod}} {{area}}"),), "bytes"),
    )


def dashboard(plan: KafkaPlan) -> str:
    """The JSON that Grafana loads."""
    name = f"{plan.settings.namespace}/{plan.settings.name}"
    return json.dumps(
        {
            "title": f"Kafka {name}",
            "uid": f"kafka-ha-{plan.cluster_id}"[:40],
            "tags": ["kafka"],
            "schemaVersion": 39,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
            "panels": [_panel(number, panel) for number, panel in enumerate(panels(plan))],
        },
        indent=1,
    )


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    column, row = number % (24 // _WIDTH), number // (24 // _WIDTH)
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.good is not None:
        defaults |= {"color": {"mode": "thresholds"}, "thresholds": _only(panel.good)}
    return {
        "id": number + 1,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend}
            for place, query in enumerate(panel.queries)
        ],
    }


def _only(good: int) -> dict[str, Any]:
    """Green for that value alone."""
    below: list[dict[str, Any]] = [{"color": "red", "value": None}] if good else []
    return {
        "mode": "absolute",
        "steps": [*below, {"color": "green", "value": good if good else None}, {"color": "red", "value": good + 1}],
    }
