"""Three brokers and three controllers as processes on the loopback, each with the exporter's agent, to be killed."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from components.checker.agent import agent
from components.checker.metrics import exposition
from components.failover import SERVER
from components.kafka_plan import plan_kafka
from components.kafka_settings import KafkaSettings
from components.metrics_settings import Agent
from tests.local_kafka import JARS

PLAN = plan_kafka(
    KafkaSettings.model_validate({"dedicatedControllers": {}, "metrics": {}}),
    ("zone-a", "zone-b", "zone-c"),
    "recorded",
)
_JAVA = ("nice", "-n", "19", "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{JARS}/*")
_CLUSTER_ID = "LvQ0c5dXR2K0oYtQ8nVbXA"
_SECONDS = 120  # for a step
_FIRST_PORT = 29100  # a node has three


@dataclass
class Node:
    """One node of Kafka, named as its pod."""

    pod: str
    id: int
    role: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def scrape(self) -> str | None:
        """What Prometheus would get of both containers; None of a node that does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port + 1}/metrics", timeout=10) as answer:
                told: str = answer.read().decode()
        except OSError:
            return None
        return f"{told}{exposition([self.folder / 'data'], True)}\n".replace(
            str(self.folder / "data"), PLAN.brokers.disks[0]
        )


@dataclass
class Cluster:
    folder: Path
    nodes: dict[str, Node] = field(default_factory=dict)

    def start(self, *pods: str) -> None:
        for pod in pods:
            node = self.nodes[pod]
            log = (node.folder / "log").open("ab")
            jar = f"{self._agent()}={node.port + 1}:{self.folder}/metrics.yaml"
            heap = "-Xmx256m" if node.role == "broker" else "-Xmx128m"
            command = [*_JAVA, heap, f"-javaagent:{jar}", "kafka.Kafka", str(node.folder / "server.properties")]
            node.process = subprocess.Popen(command, stdout=log, stderr=log)
        for pod in pods:
            _await(partial(_listens, self.nodes[pod].port), f"{pod} listens")

    def kill(self, *pods: str) -> None:
        for pod in pods:
            process = self.nodes[pod].process
            assert process
            process.kill()
            process.wait()

    def tool(self, program: str, *arguments: str) -> str:
        brokers = ",".join(node.address for node in self.nodes.values() if node.role == "broker")
        command = [*_JAVA, "-Xmx64m", f"org.apache.kafka.tools.{program}", "--bootstrap-server", brokers, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def create(self, topic: str, *arguments: str) -> None:
        self.tool("TopicCommand", "--create", "--topic", topic, *arguments)

    def value(self, metric: str) -> float:
        """The largest of all nodes."""
        texts = [told for node in self.nodes.values() if (told := node.scrape())]
        found = [float(line.split()[-1]) for told in texts for line in told.splitlines() if line.startswith(metric)]
        return max(found, default=-1.0)

    def settle(self) -> None:
        """Until all are in sync again."""
        _await(
            lambda: (
                self.value("kafka_controller_kafkacontroller_activebrokercount") == 3
                and self.value("kafka_server_replicamanager_underreplicatedpartitions") == 0
                and self.value("kafka_controller_kafkacontroller_offlinepartitionscount") == 0
            ),
            "all in sync",
        )

    @property
    def active_controller(self) -> str:
        active = "kafka_controller_kafkacontroller_activecontrollercount 1"
        return next(pod for pod, node in self.nodes.items() if active in (node.scrape() or ""))

    def _agent(self) -> Path:
        return agent(Agent().url, Agent().sha256, self.folder)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """All six, formatted and started."""
    cluster = Cluster(folder)
    (folder / "metrics.yaml").write_text(PLAN.files(PLAN.brokers)["metrics.yaml"])
    for nodes in (PLAN.controllers, PLAN.brokers):
        for ordinal, pod in enumerate(nodes.pods):
            own = folder / pod
            own.mkdir()
            port = _FIRST_PORT + 3 * len(cluster.nodes)
            cluster.nodes[pod] = Node(pod, nodes.first_id + ordinal, nodes.component, port, own)
    voters = [node for node in cluster.nodes.values() if node.role == "controller"]
    for node in cluster.nodes.values():
        _format(node, voters)
    try:
        cluster.start(*cluster.nodes)
        yield cluster
    finally:
        cluster.kill(*(pod for pod, node in cluster.nodes.items() if node.process))


def _format(node: Node, voters: list[Node]) -> None:
    listener = f"{'CONTROLLER' if node.role == 'controller' else 'PLAINTEXT'}://{node.address}"
    properties = {
        "node.id": node.id,
        "process.roles": node.role,
        "listeners": listener,
        "advertised.listeners": listener,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "controller.quorum.bootstrap.servers": ",".join(voter.address for voter in voters),
        "log.dirs": node.folder / "data",
        "min.insync.replicas": 2,
        "default.replication.factor": 3,
        "offsets.topic.replication.factor": 3,
        **SERVER,
    }
    config = node.folder / "server.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    first = ",".join(f"{one.id}@{one.address}:{PLAN.voters[one.id - 1000].rpartition(':')[2]}" for one in voters)
    how = ["--initial-controllers", first] if node.role == "controller" else ["--no-initial-controllers"]
    tool = [*_JAVA, "kafka.tools.StorageTool", "format", f"-t={_CLUSTER_ID}", "-c", str(config), *how]
    subprocess.run(tool, check=True, capture_output=True, env=os.environ)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _await(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {_SECONDS} s: {what}"
        time.sleep(0.5)
