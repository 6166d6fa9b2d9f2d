"""Which alerts fire in what was recorded of a real Kafka (tests/alerts/record.py), judged by promtool. What can't be
had from one, such as a second active controller, is a change of what was recorded when all was well.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from components.observability.alerts import alerts
from components.observability.dashboard import panels
from tests.alerts import series as recorded
from tests.alerts.cluster import PLAN
from tests.alerts.promtool import Replay
from tests.alerts.series import Series

LATE = 15  # minutes: all alerts of nodes that are gone are told by then


def changed(metric: str, values: dict[str, str]) -> Series:
    """When all was well, but for these pods' values of a metric."""
    series = recorded.load("healthy")
    [name] = [name for name in series if name.partition("{")[0] == metric]
    others = {pod: told for pods, told in series[name].items() for pod in pods.split() if pod not in values}
    return series | {name: others | values}


def without(pod: str) -> Series:
    """When all was well, but for a node whose metrics are missing."""
    return {
        name: {" ".join(set(pods.split()) - {pod}): told for pods, told in by_pods.items()}
        for name, by_pods in recorded.load("healthy").items()
    }


def budget(allowed: int) -> dict[str, str]:
    """As kube-state-metrics tells it."""
    name = "kube_poddisruptionbudget_status_pod_disruptions_allowed"
    return {"series": f'{name}{{namespace="kafka",poddisruptionbudget="kafka"}}', "values": f"{allowed}x100000"}


def certificate(days: int) -> dict[str, str]:
    """As the checker tells of one that ends in so many days."""
    series = 'kafka_certificate_end_seconds{namespace="kafka",pod="kafka-1",container="checker"}'
    return {"series": series, "values": f"{days * 86400}x100000"}


CASES: dict[str, tuple[Replay, set[str]]] = {
    "healthy": (Replay(recorded.load("healthy"), LATE, [budget(1)]), set()),
    "broker-lost": (
        Replay(recorded.load("broker-lost"), LATE),
        {"KafkaBrokerDown", "KafkaPartitionsUnderReplicated", "KafkaMetricsMissing"},
    ),
    "broker-restarts": (Replay(recorded.load("broker-lost"), 3), set()),
    "brokers-lost": (
        Replay(recorded.load("brokers-lost"), LATE),
        {"KafkaBrokerDown", "KafkaPartitionsUnderMinIsr", "KafkaPartitionsUnderReplicated", "KafkaMetricsMissing"},
    ),
    "brokers-lost, soon": (Replay(recorded.load("brokers-lost"), 3), {"KafkaPartitionsUnderMinIsr"}),
    "all-brokers-lost": (
        Replay(recorded.load("all-brokers-lost"), LATE),
        {"KafkaBrokerDown", "KafkaPartitionsOffline", "KafkaMetricsMissing"},
    ),
    "active-controller-lost": (
        Replay(recorded.load("active-controller-lost"), LATE),
        {"KafkaVoterMissing", "KafkaMetricsMissing"},
    ),
    "controllers-lost": (
        Replay(recorded.load("controllers-lost"), LATE),
        {"KafkaNoActiveController", "KafkaQuorumWithoutMajority", "KafkaVoterMissing", "KafkaMetricsMissing"},
    ),
    "unclean-election": (Replay(recorded.load("unclean-election"), 3), {"KafkaUncleanLeaderElection"}),
    "two active controllers": (
        Replay(
            changed(
                "kafka_controller_kafkacontroller_activecontrollercount",
                {"kafka-controller-0": "1x9", "kafka-controller-1": "1x9", "kafka-controller-2": "0x9"},
            ),
            LATE,
        ),
        {"KafkaSeveralActiveControllers"},
    ),
    "no metrics of a node that is well": (Replay(without("kafka-1"), LATE), {"KafkaMetricsMissing"}),
    "a disk failed": (
        Replay(changed("kafka_log_logmanager_offlinelogdirectorycount", {"kafka-1": "1x9"}), LATE),
        {"KafkaLogDirectoryOffline"},
    ),
    # 1 GB every 5 minutes: 60 GB are gone in 5 hours; 1 GB every 50 minutes: in two days.
    "a disk fills within hours": (
        Replay(changed("kafka_disk_available_bytes", {"kafka-1": "90e9-1e9x40"}), 180, interval=300),
        {"KafkaDiskFilling"},
    ),
    "a disk fills in days": (
        Replay(changed("kafka_disk_available_bytes", {"kafka-1": "90e9-1e8x40"}), 180, interval=300),
        set(),
    ),
    "a disk is almost full": (
        Replay(changed("kafka_disk_available_bytes", {"kafka-1": "4e9x9"}), LATE),
        {"KafkaDiskAlmostFull"},
    ),
    # Time begins at 0 there.
    "a certificate ends": (
        Replay(recorded.load("healthy"), 120, [budget(1), certificate(days=50)]),
        {"KafkaCertificateEnds"},
    ),
    "a certificate holds": (Replay(recorded.load("healthy"), 120, [budget(1), certificate(days=70)]), set()),
    "no eviction is allowed": (
        Replay(recorded.load("healthy"), 40, [budget(0)]),
        {"KafkaNoDisruptionAllowed"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_these_alerts_fire_and_no_others(name: str, tmp_path: Path) -> None:
    replay, firing = replace(CASES[name][0], queries=[], alerts=[]), CASES[name][1]
    told = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(firing)]
    replay.expect('count by (alertname) (ALERTS{alertstate="firing"})', told)
    replay.run(tmp_path)


def test_each_alert_is_seen_to_fire() -> None:
    assert {alert.name for alert in alerts(PLAN)} == {name for _, firing in CASES.values() for name in firing}


TOLD: dict[str, tuple[str, str, dict[str, str]]] = {
    "KafkaPartitionsOffline": (
        "all-brokers-lost",
        "6 partitions have no leader: nothing can be written to them or read from them.",
        {},
    ),
    "KafkaPartitionsUnderMinIsr": (
        "brokers-lost",
        "6 partitions have fewer replicas in sync than their minimum: writes with acks=all are refused.",
        {},
    ),
    "KafkaPartitionsUnderReplicated": ("broker-lost", "6 partitions have a replica that is not in sync.", {}),
    "KafkaQuorumWithoutMajority": (
        "controllers-lost",
        "Only 1 voters of the quorum follow a leader, which is no majority.",
        {},
    ),
    "KafkaVoterMissing": ("active-controller-lost", "Only 2 of 3 voters of the quorum follow its leader.", {}),
    "KafkaBrokerDown": ("broker-lost", "Only 2 of 3 brokers are registered and alive.", {}),
    "KafkaMetricsMissing": (
        "broker-lost",
        "Only 5 of 6 nodes tell metrics: the others are down, or have no exporter.",
        {},
    ),
    "KafkaDiskAlmostFull": (
        "a disk is almost full",
        "The disk /var/lib/kafka/data of kafka-1 has 4.09% left.",
        {"pod": "kafka-1", "namespace": "kafka", "container": "checker", "disk": "/var/lib/kafka/data"},
    ),
    "KafkaCertificateEnds": (
        "a certificate ends",
        "The certificate of kafka-1 ends in 49d 22h 0m 0s.",
        {"pod": "kafka-1", "namespace": "kafka", "container": "checker"},
    ),
    "KafkaLogDirectoryOffline": (
        "a disk failed",
        "1 disks of kafka-1 failed: their replicas are offline.",
        {"pod": "kafka-1", "namespace": "kafka", "container": "kafka"},
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_an_alert_says_what_is_wrong(name: str, tmp_path: Path) -> None:
    scenario, summary, labels = TOLD[name]
    [alert] = [one for one in alerts(PLAN) if one.name == name]
    replay = replace(CASES[scenario][0], queries=[], alerts=[])
    replay.expect_alert(
        name,
        [
            {
                "exp_labels": {"severity": alert.severity, "kafka": "kafka", **labels},
                "exp_annotations": {"summary": summary, "runbook_url": f"docs/runbooks/{name}.md"},
            }
        ],
    )
    replay.run(tmp_path)


def test_each_query_of_the_dashboard_has_an_answer(tmp_path: Path) -> None:
    replay = Replay(recorded.load("healthy"), 2, [budget(1)])
    for panel in panels(PLAN):
        for query in panel.queries:
            asked = query.expr.replace("$__rate_interval", "1m")
            replay.expect(f"clamp_max(count({asked}), 1)", [{"labels": "{}", "value": 1}])
    replay.run(tmp_path)
