"""What security and the exporter of metrics cost: by a second Kafka of the same size on the components' cluster."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.checker.agent import agent
from components.kafka_plan import METRICS_PORT
from components.metrics_settings import Agent
from tests.bench.failover.figures import Figure
from tests.bench.failover.subjects import PODS, SMALL, TOPIC, Subject
from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.stack import second_stack
from tests.local_kafka import JARS
from tests.secret import held
from tests.stack import Stack

_NAME = "costs"  # of the second Kafka's namespace, and of its user
_LOGIN = "/tmp/costs.properties"  # in the client's pod
_ROUNDS = 3
_RECORDS, _FEW_RECORDS = 200_000, 50_000
_SCRAPES = 10


def throughput(client: KafkaClient, bootstrap: str, *options: str, records: int = _RECORDS) -> float:
    """MB/s of 1 KiB records that one producer with acks=all gets acknowledged, at full speed."""
    arguments = ["--topic", TOPIC, "--num-records", str(records), "--record-size", "1024", "--throughput", "-1"]
    properties = ["acks=all", "compression.type=none", f"bootstrap.servers={bootstrap}"]
    out = client.run("kafka-producer-perf-test.sh", *arguments, *options, "--command-property", *properties)
    found = re.search(r"\(([0-9.]+) MB/sec\)", out.splitlines()[-1])
    assert found, out
    return float(found[1])


def costs(subject: Subject, first: Stack) -> Iterator[Figure]:
    """Each figure as it is measured. `first` is what deployed the subject."""
    with _second(first) as (second, cluster):
        bootstrap, options = second.outputs()["bootstrap"], ("--command-config", _LOGIN)
        subject.client.write(_LOGIN, login(held(cluster.core, f"kafka-user-{_NAME}", _NAME)["client.properties"]))
        # In turns, each with the other idle beside it: whatever else the machine does is spread over both.
        for _ in range(_ROUNDS):
            _settle(subject.cluster)
            plaintext = throughput(subject.client, subject.bootstrap)
            yield Figure(subject.name, "throughput beside an idle Kafka, plaintext (MB/s)", plaintext)
            _settle(cluster)
            secured = throughput(subject.client, bootstrap, *options)
            yield Figure(subject.name, "throughput beside an idle Kafka, TLS and SCRAM (MB/s)", secured)

        # A heap that is there as a whole from the start: how much of it was used is more than an exporter takes.
        touched = {"jvmOptions": f"{first.config['kafka'].get('jvmOptions', '')} -XX:+AlwaysPreTouch"}
        restart(second, cluster, touched)
        throughput(subject.client, bootstrap, *options, records=_FEW_RECORDS)
        for memory in _memory(cluster):
            yield Figure(subject.name, "memory of a broker without the exporter (MiB)", memory)
        _bring_agent(cluster)
        restart(second, cluster, {"metrics": {}})
        throughput(subject.client, bootstrap, *options, records=_FEW_RECORDS)
        _scrape(cluster)
        for memory in _memory(cluster):
            yield Figure(subject.name, "memory of a broker with the exporter (MiB)", memory)


def login(properties: str) -> str:
    """Those of a client's properties by which it gets in: by others it would differ from the one without."""
    return "".join(f"{line}\n" for line in properties.splitlines() if line.startswith(("security.", "sasl.", "ssl.")))


def anonymous(status: str) -> float:
    """MiB that a process holds and that are of no file, as its /proc/PID/status says."""
    found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, status
    return int(found[1]) / 1024


@contextmanager
def _second(first: Stack) -> Iterator[tuple[Stack, Cluster]]:
    """A secured Kafka as large as the first, with the same topic."""
    kafka = first.config["kafka"]
    size = {name: kafka[name] for name in ("resources", "storage")}
    topic = {"name": TOPIC, "partitions": 1, "config": dict(one.split("=") for one in SMALL)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = second_stack(first, folder, _NAME, {**size, "security": {}})
        stack.change(lambda config: config.update(topics=[topic], users=[{"name": _NAME, "writes": [TOPIC]}]))
        try:
            stack.up()
            yield stack, Cluster(stack.outputs()["kubeconfig"], folder, _NAME, "kafka")
        finally:
            stack.destroy()


def _settle(cluster: Cluster) -> None:
    eventually("all brokers are ready", lambda: cluster.ready() == set(PODS), 300)
    eventually("all replicas are in sync", cluster.fully_replicated, 300)


def restart(stack: Stack, cluster: Cluster, settings: dict[str, Any]) -> None:
    """Rolls the nodes with other settings."""
    stack.change(lambda config: config["kafka"].update(settings))
    stack.up()
    _settle(cluster)


def _bring_agent(cluster: Cluster) -> None:
    """Puts the exporter's jar where the nodes look for it first: on a fenced network they can't fetch it."""
    JARS.parent.mkdir(parents=True, exist_ok=True)
    jar = agent(Agent().url, Agent().sha256, JARS.parent)
    for pod in PODS:
        cluster.kubectl("-n", _NAME, "cp", str(jar), f"{pod}:/var/lib/kafka/data/{jar.name}", "-c", "kafka")


def _scrape(cluster: Cluster) -> None:
    """As Prometheus does, some times."""
    for _ in range(_SCRAPES):
        for pod in PODS:
            path = f"/api/v1/namespaces/{_NAME}/pods/{pod}:{METRICS_PORT}/proxy/metrics"
            assert "kafka_server_" in cluster.kubectl("get", "--raw", path, quiet=True)


def _memory(cluster: Cluster) -> Iterator[float]:
    """Of each broker's process."""
    for pod in PODS:
        command = ["exec", pod, "-c", "kafka", "--", "sh", "-c", "cat /proc/$(pgrep java)/status"]
        yield anonymous(cluster.kubectl("-n", _NAME, *command, quiet=True))
