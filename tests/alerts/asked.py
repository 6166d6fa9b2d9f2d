"""Which of our metrics the alerts and the dashboard ask for."""

import re

from components.kafka_plan import KafkaPlan
from components.observability.alerts import alerts
from components.observability.dashboard import panels

_METRIC = re.compile(r"\b(?:jvm|kafka|kube)_\w+")


def metrics_asked(plan: KafkaPlan) -> set[str]:
    """Their names."""
    expressions = [alert.expr for alert in alerts(plan)] + [
        query.expr for panel in panels(plan) for query in panel.queries
    ]
    return {name for expression in expressions for name in _METRIC.findall(expression)}
