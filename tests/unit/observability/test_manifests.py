"""What a node exports, and what Prometheus and Grafana find, as plain data."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components import manifests as kafka_manifests
from components.kafka_settings import KafkaSettings
from components.metrics_settings import Agent
from components.observability import manifests
from components.observability.alerts import alerts, rule_groups, selector
from components.observability.dashboard import panels
from tests.alerts.asked import metrics_asked
from tests.unit.checker.environment import container, plan, variables

ROOT = Path(__file__).parents[3]
DEDICATED: dict[str, Any] = {"dedicatedControllers": {}, "metrics": {}}


def test_without_the_setting_a_node_exports_nothing() -> None:
    kafka = plan()
    assert "metrics.yaml" not in kafka.files(kafka.brokers)
    for name in ("kafka", "checker", "prepare"):
        assert not [one for one in container(kafka, kafka.brokers, name).get("ports", []) if one["name"] == "metrics"]
        assert not [one for one in variables(kafka, kafka.brokers, name, "kafka-0") if one.startswith("AGENT")]


def test_with_it_each_node_does() -> None:
    kafka = plan(**DEDICATED)
    for nodes in kafka.groups:
        ports = [one for name in ("kafka", "checker") for one in container(kafka, nodes, name)["ports"]]
        assert {one["name"]: one["containerPort"] for one in ports}.items() >= {"metrics": 9404, "health": 9094}.items()
        told = variables(kafka, nodes, "prepare", nodes.pods[0])
        assert (told["AGENT_URL"], told["AGENT_SHA256"]) == (Agent().url, Agent().sha256)
        assert told["AGENT_OPTIONS"] == "9404:/etc/kafka-ha/metrics.yaml"
        assert kafka_manifests.config_map(kafka, nodes)["data"]["metrics.yaml"] == kafka.files(nodes)["metrics.yaml"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"agent": {"url": "ftp://here/agent.jar"}}, "match pattern"),
        ({"agent": {"sha256": "7D61"}}, "match pattern"),
        ({"runbooks": "https://wiki/"}, "match pattern"),
        ({"diskHours": 0}, "greater than or equal to 1"),
        ({"alerts": True}, "not permitted"),
    ],
)
def test_what_can_not_be(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        KafkaSettings.model_validate({"metrics": settings})


def test_every_metric_that_is_asked_for_is_exported() -> None:
    """But those of the JVM, which the agent tells of itself, of the checker, and of kube-state-metrics."""
    rules = yaml.safe_load(plan(**DEDICATED).files(plan(**DEDICATED).brokers)["metrics.yaml"])
    names = [rule["name"].lower().replace("-", "_") for rule in rules["rules"]]
    patterns = [re.compile(re.sub(r"\$\d", r"\\w+", name)) for name in names]
    own = {
        name
        for name in metrics_asked(plan(**DEDICATED))
        if not name.startswith(("jvm_", "kube_", "kafka_disk", "kafka_in_"))
    }
    assert {name for name in own if not any(pattern.fullmatch(name) for pattern in patterns)} == set()
    assert len(own) > 15


def test_the_pods_are_found_by_their_labels_and_ports() -> None:
    kafka = plan(name="events", namespace="streams", metrics={"labels": {"release": "prometheus"}})
    monitor = manifests.pod_monitor(kafka)
    assert monitor["metadata"]["labels"].items() >= {"release": "prometheus"}.items()
    assert (monitor["metadata"]["name"], monitor["metadata"]["namespace"]) == ("events", "streams")
    pod = kafka_manifests.stateful_set(kafka, kafka.brokers)["spec"]["template"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod.items()
    ports = {one["name"] for name in ("kafka", "checker") for one in container(kafka, kafka.brokers, name)["ports"]}
    assert {one["port"] for one in monitor["spec"]["podMetricsEndpoints"]} <= ports


def test_the_series_of_all_pods_and_no_others_are_selected() -> None:
    for settings in (DEDICATED, {"name": "events", "metrics": {}}):
        kafka = plan(**settings)
        [found] = re.findall(r'pod=~"(.+)"', selector(kafka))
        assert all(re.fullmatch(found, pod) for nodes in kafka.groups for pod in nodes.pods)
        assert not any(re.fullmatch(found, pod) for pod in ("kafka-client", "other-0", "kafka-connect-0"))


def test_the_rules_are_the_same_with_the_operator_and_without() -> None:
    kafka = plan(**DEDICATED)
    rule = manifests.prometheus_rule(kafka)["spec"]
    assert yaml.safe_load(manifests.alerts_config_map(kafka)["data"]["rules.yaml"]) == rule
    [group] = rule["groups"]
    assert [one["alert"] for one in group["rules"]] == [one.name for one in alerts(kafka)]


@pytest.mark.parametrize("base", [None, "https://wiki.example.com/runbooks"])
def test_each_alert_has_its_runbook_and_each_runbook_its_alert(base: str | None) -> None:
    kafka = plan(metrics={"runbooks": base} if base else {})
    urls = [one["annotations"]["runbook_url"] for group in rule_groups(kafka) for one in group["rules"]]
    assert {url.rpartition("/")[0] for url in urls} == {base or "docs/runbooks"}
    written = {file.name: file.read_text() for file in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert {url.rpartition("/")[2] for url in urls} == set(written)
    for name, text in written.items():
        assert text.startswith(f"# {name.removesuffix('.md')}\n")
        assert "\n1. " in text, "what to do"
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / "docs" / "runbooks" / link).is_file(), link


def test_the_dashboard_is_one_that_grafanas_sidecar_loads() -> None:
    kafka = plan(**DEDICATED)
    made = manifests.dashboard_config_map(kafka)
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    [(file, text)] = made["data"].items()
    shown = json.loads(text)
    assert file.endswith(".json")
    assert [one["title"] for one in shown["panels"]] == [one.title for one in panels(kafka)]
    assert len({one["id"] for one in shown["panels"]}) == len(shown["panels"])
    places = {(one["gridPos"]["x"], one["gridPos"]["y"]) for one in shown["panels"]}
    assert len(places) == len(shown["panels"])
    assert all(one["gridPos"]["x"] + one["gridPos"]["w"] <= 24 for one in shown["panels"])
    assert len(text) < 2**20, "what a ConfigMap holds"
