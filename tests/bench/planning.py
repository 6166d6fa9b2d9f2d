"""Measurements without Pulumi's engine: from settings to manifests, and the imports of the two programs."""

import subprocess
import sys
import time
from typing import Any

from components.kafka_plan import plan_kafka, plan_topic
from components.settings import read_settings
from tests.bench.figures import Growth, best
from tests.own import rendered
from tests.stack import ROOT

SIZES = (25, 50, 100, 200)
BROKERS = 10

_IMPORTS = {
    "components": "import components.kafka_topic, components.placement, components.settings, components.zoned_cluster",
    "straight": "import pulumi, pulumi_kubernetes, pulumi_command.local",
}


def growth(repeats: int) -> Growth:
    """Seconds to read, judge, plan and render each of `SIZES` clusters: the best of `repeats`, taken in turns."""
    measured: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(repeats):
        for size in SIZES:
            measured[size].append(_seconds(size))
    return Growth({size: best(seconds) for size, seconds in measured.items()})


def import_seconds(program: str) -> float:
    """Seconds of a program's imports in a new interpreter, the interpreter's own start left out."""
    code = f"import time; start = time.perf_counter(); {_IMPORTS[program]}; print(time.perf_counter() - start)"
    return float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True))


def _seconds(clusters: int) -> float:
    configs = [_config(number) for number in range(clusters)]
    start = time.perf_counter()
    for config in configs:
        _plan(config)
    return time.perf_counter() - start


def _config(number: int) -> dict[str, Any]:
    return {
        "cluster": {"kind": "existing", "zones": ["zone-a", "zone-b", "zone-c"]},
        "kafka": {
            "name": f"kafka-{number}",
            "brokers": BROKERS,
            "dedicatedControllers": {},
            "storage": {"size": "100Gi"},
            "resources": {"cpu": "2", "memory": "8Gi", "heap": "4Gi"},
            "properties": {"num.io.threads": 8, "log.retention.hours": 72},
        },
        "topics": [{"name": "orders", "partitions": 6, "config": {"retention.ms": 3600000}}],
    }


def _plan(config: dict[str, Any]) -> None:
    settings = read_settings(config)
    plan = plan_kafka(settings.kafka, settings.cluster.zones, f"bench/{settings.kafka.name}")
    assert all([*rendered(plan), *(plan_topic(topic, settings.kafka) for topic in settings.topics)])
