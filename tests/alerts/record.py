"""Records the series anew from a real Kafka: `python -m tests.alerts.record [SCENARIO…]`, about 6 minutes."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.alerts.asked import metrics_asked
from tests.alerts.cluster import PLAN, Cluster, running
from tests.alerts.series import INTERVAL, RECORDED, compact

_BEFORE, _AFTER = 2, 8  # scrapes


def healthy(cluster: Cluster) -> None:
    """Six partitions of three replicas on three brokers, three controllers."""


def broker_lost(cluster: Cluster) -> None:
    """One broker is killed: its partitions are under-replicated."""
    cluster.kill("kafka-2")


def brokers_lost(cluster: Cluster) -> None:
    """Two brokers are killed: the partitions are under their minimum ISR."""
    cluster.kill("kafka-1", "kafka-2")


def all_brokers_lost(cluster: Cluster) -> None:
    """All brokers are killed: partitions are offline."""
    cluster.kill("kafka-0", "kafka-1", "kafka-2")


def active_controller_lost(cluster: Cluster) -> None:
    """The active controller is killed: another one becomes active."""
    cluster.kill(cluster.active_controller)


def controllers_lost(cluster: Cluster) -> None:
    """Two of three controllers are killed: the quorum has no majority."""
    active = cluster.active_controller
    other = next(pod for pod in PLAN.controllers.pods if pod != active)
    cluster.kill(active, other)


def unclean_election(cluster: Cluster) -> None:
    """A replica that was not in sync is elected, as the topic allows."""
    allowed = ("--config", "unclean.leader.election.enable=true", "--config", "min.insync.replicas=1")
    cluster.create("risky", "--replica-assignment", "1:2", *allowed)
    cluster.settle()
    cluster.kill("kafka-2")
    time.sleep(10)  # until the broker is fenced, and out of the ISR
    cluster.kill("kafka-1")
    time.sleep(10)
    cluster.start("kafka-2")


SCENARIOS: dict[str, Callable[[Cluster], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        healthy,
        broker_lost,
        brokers_lost,
        all_brokers_lost,
        active_controller_lost,
        controllers_lost,
        unclean_election,
    )
}


def record(cluster: Cluster, scenario: Callable[[Cluster], None]) -> list[dict[str, str | None]]:
    """Each node's answer, scrape by scrape, before and after what happens."""
    scrapes = []
    for number in range(_BEFORE + _AFTER):
        if number == _BEFORE:
            scenario(cluster)
        begun = time.monotonic()
        scrapes.append({pod: node.scrape() for pod, node in cluster.nodes.items()})
        time.sleep(max(0.0, INTERVAL - (time.monotonic() - begun)))
    return scrapes


def main() -> None:
    """Records each scenario on a cluster that is whole again after the one before."""
    RECORDED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as cluster:
        cluster.create("orders", "--partitions", "6")
        for name, scenario in SCENARIOS.items():
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            cluster.settle()
            series = compact(record(cluster, scenario), metrics_asked(PLAN))
            text = yaml.safe_dump(series, width=1000)
            (RECORDED / f"{name}.yaml").write_text(f"# {scenario.__doc__} Written by tests/alerts/record.py.\n{text}")
            print(f"{name}: {len(series)} series", flush=True)
            cluster.start(
                *(pod for pod, node in cluster.nodes.items() if node.process and node.process.poll() is not None)
            )


if __name__ == "__main__":
    main()
