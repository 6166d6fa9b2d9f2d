"""What can be set of Kafka's metrics, alerts and dashboard."""

from typing import Annotated

from pydantic import Field, StringConstraints

from components.settings_model import SettingsModel

AGENT_VERSION = "1.0.1"
"""The last that is on Maven Central: later ones are on GitHub alone (prometheus/jmx_exporter#1115)."""
_PLACE = f"io/prometheus/jmx/jmx_prometheus_javaagent/{AGENT_VERSION}/jmx_prometheus_javaagent-{AGENT_VERSION}.jar"

Labels = dict[str, str]


class Agent(SettingsModel):
    """The JMX exporter's Java agent, which `prepare` fetches once for each disk."""

    url: Annotated[str, StringConstraints(pattern=r"^(https?|file)://[^\s\"']+$")] = (
        f"https://repo1.maven.org/maven2/{_PLACE}"
    )
    """Where the jar is: also an address inside, or `file:` of a jar in an image of `kafka.checkerImage`."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = (
        "7d61f737fd661610ccc14aea79764faa1ea94a340cbc8f0029b3d2edea3d80c1"
    )
    """Its SHA-256, without which it is not used."""


class Metrics(SettingsModel):
    """`kafka.metrics`: metrics of each node for Prometheus, with alerts and a dashboard (docs/observability.md)."""

    agent: Agent = Agent()
    """The exporter in each node."""
    prometheus_operator: bool = False
    """Whether a PodMonitor and a PrometheusRule are made: the operator's CRDs must be there."""
    labels: Labels = Field(default_factory=dict)
    """Labels of both, by which a Prometheus selects them, such as `release: prometheus`."""
    dashboard_labels: Labels = Field(default_factory=lambda: {"grafana_dashboard": "1"})
    """Labels of the dashboard's ConfigMap, by which Grafana's sidecar finds it."""
    runbooks: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+[^\s/]$")] | None = None
    """Where the folder docs/runbooks is published, for `runbook_url`; the path in this repository when unset."""
    disk_hours: Annotated[int, Field(ge=1, le=24 * 14)] = 24
    """A disk that will be full within so many hours, at the pace of the last six, is an alert."""
