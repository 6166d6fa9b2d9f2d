"""A real Kafka without Docker: a node as a process on the loopback, a broker beside it where a test needs one, and a
kubectl that reaches nothing else.

Kafka's jars are those of the testbed (`tests/testbed/build.sh` gets them). Use `local_kafka`; tests are skipped, in
words, where the jars or Java are missing.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components import manifests
from components.checker.wire import Connection
from components.kafka_plan import TOOLS_FILE, plan_kafka, render_properties
from components.kafka_settings import KafkaSettings
from components.listeners import KEYSTORE, NODE_NAME, SECURED, TLS_FOLDER, TOOLS
from components.security_settings import Security
from components.tls.authority import Pair, issue, new_authority
from tests.stack import ROOT
from toolchain.layout import Layout

JARS = Layout.of(os.environ).cache / "testbed" / "kafka-4.3.1"
_TOOLS = ROOT / "tests" / "testbed" / "images" / "kafka" / "bin" / "tools"
_JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{JARS}/*")
_HOSTS = ("*.kafka.svc.cluster.local", "127.0.0.1")
_NOBODY = Pair("", "")
_STARTS_IN = 60  # seconds
_LOGGING = """
Configuration:
  Appenders: {Console: {name: console, PatternLayout: {pattern: "%p %c{1} %m%n"}}}
  Loggers: {Root: {level: warn, AppenderRef: {ref: console}}}
"""


@dataclass(frozen=True)
class LocalKafka:
    """The node, and what a dynamic resource needs to reach it: put `bin` first on PATH."""

    folder: Path
    port: int
    """For clients."""
    controller: int
    """Port of its controller."""
    internal: int
    """Port for brokers and tools; the clients' own without security."""
    authority: Pair | None = None
    """Its CA, where it is secured."""

    @property
    def bin(self) -> Path:
        """The folder of the kubectl."""
        return self.folder / "bin"

    @property
    def connection(self) -> dict[str, str]:
        """As `KafkaCluster.reach` gives it."""
        return {
            "NAMESPACE": "kafka",
            "BROKER_PODS": "kafka-0",
            "BOOTSTRAP": f"127.0.0.1:{self.internal}",
            **({"COMMAND_CONFIG": f"{self.folder}/{TOOLS_FILE}"} if self.authority else {}),
            "SIMULATED": "",
            "KUBE_CONTEXT": "",
        }

    def calls(self) -> list[str]:
        """Each call of kubectl since the last question: `CONTAINER PROGRAM`."""
        log = self.folder / "calls"
        found = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return found

    @contextmanager
    def second_broker(self) -> Iterator[None]:
        """A broker 1 for a while; it stays registered."""
        [port] = free_ports(1)
        properties = {**_properties(self, 1, port), "process.roles": "broker"}
        with _running(self, 1, port, properties, ["--no-initial-controllers"]):
            _await_registration(self)
            yield


@contextmanager
def local_kafka(folder: Path, release: str) -> Iterator[LocalKafka]:
    """A running node, formatted with the metadata version `release`."""
    _need_kafka()
    port, controller = free_ports(2)
    kafka = LocalKafka(folder, port, controller, port)
    _write_kubectl(kafka)
    listeners = f"PLAINTEXT://127.0.0.1:{kafka.port},CONTROLLER://127.0.0.1:{kafka.controller}"
    own = {"process.roles": "broker,controller", "listeners": listeners, "advertised.listeners": listeners}
    properties = {**_properties(kafka, 0, kafka.port), **own}
    with _running(kafka, 0, kafka.port, properties, ["--standalone", "--release-version", release]):
        yield kafka


@contextmanager
def secured_kafka(folder: Path) -> Iterator[LocalKafka]:
    """A running node with security on, by a certificate of its own CA."""
    _need_kafka()
    now = datetime.now(UTC)
    port, controller, internal = free_ports(3)
    kafka = LocalKafka(folder, port, controller, internal, new_authority("local", now))
    write_certificate(kafka, issue(kafka.authority or _NOBODY, NODE_NAME, _HOSTS, 30, now))
    _write_kubectl(kafka)
    (folder / TOOLS_FILE).write_text(_placed(render_properties(TOOLS), folder))
    ports = {"CLIENTS": kafka.port, "INTERNAL": kafka.internal, "CONTROLLER": kafka.controller}
    listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
    own = {"process.roles": "broker,controller", "listeners": listeners, "advertised.listeners": listeners}
    secured = {key: _placed(value, folder) for key, value in SECURED.properties(("broker", "controller")).items()}
    properties = {**_properties(kafka, 0, kafka.port), **secured, **own}
    with _running(kafka, 0, kafka.port, properties, ["--standalone"]):
        yield kafka


def write_certificate(kafka: LocalKafka, pair: Pair) -> None:
    """As the pods have it: in a folder, and in one file for Kafka."""
    folder = kafka.folder / "tls"
    folder.mkdir(exist_ok=True)
    authority = kafka.authority or _NOBODY
    for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key), ("ca.crt", authority.certificate)):
        (folder / name).write_text(text)
    (folder / "node.pem").write_text(pair.key + pair.certificate)


def _placed(text: str, folder: Path) -> str:
    """With the paths of this machine."""
    return text.replace(KEYSTORE, f"{folder}/tls/node.pem").replace(TLS_FOLDER, f"{folder}/tls")


def _need_kafka() -> None:
    if not JARS.is_dir() or shutil.which("java") is None:
        pytest.skip(f"no Kafka: {JARS} or Java is missing (make testbed gets them)")


@contextmanager
def _running(
    kafka: LocalKafka, node: int, port: int, properties: dict[str, str], formatting: list[str]
) -> Iterator[None]:
    """A node's process, as soon as it listens."""
    config = kafka.folder / f"server-{node}.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    java = [*_JAVA, "-Xmx256m", f"-Dlog4j2.configurationFile={kafka.folder}/log4j2.yaml"]
    formatting = ["format", "-t=LvQ0c5dXR2K0oYtQ8nVbXA", "-c", str(config), *formatting]
    with (kafka.folder / f"node-{node}.log").open("w") as log:
        subprocess.run([*java, "kafka.tools.StorageTool", *formatting], stdout=log, stderr=log, check=True)
        process = subprocess.Popen([*java, "kafka.Kafka", str(config)], stdout=log, stderr=log)
        try:
            _await(process, port)
            yield
        finally:
            process.kill()
            process.wait()


def _properties(kafka: LocalKafka, node: int, port: int) -> dict[str, str]:
    listeners = f"PLAINTEXT://127.0.0.1:{port}"
    return {
        "node.id": str(node),
        "broker.rack": f"rack-{node}",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{kafka.controller}",
        "log.dirs": str(kafka.folder / f"data-{node}"),
        "offsets.topic.replication.factor": "1",
        "log.retention.ms": "86400000",  # of the file, so not the topics' own
    }


def _write_kubectl(kafka: LocalKafka) -> None:
    (kafka.folder / "log4j2.yaml").write_text(_LOGGING)
    kafka.bin.mkdir()
    (kafka.folder / "kubectl.json").write_text(json.dumps(_checker_environment(kafka)))
    (kafka.bin / "kubectl").write_text(f"#!{sys.executable}\n{_KUBECTL}")
    (kafka.bin / "kubectl").chmod(0o755)


def _checker_environment(kafka: LocalKafka) -> dict[str, str]:
    """As the manifests give it to the checker's container, with this node's addresses."""
    settings = KafkaSettings(security=Security() if kafka.authority else None)
    plan = plan_kafka(settings, ("zone-a", "zone-b", "zone-c"), "local")
    containers = manifests.stateful_set(plan, plan.brokers)["spec"]["template"]["spec"]["initContainers"]
    [checker] = [container for container in containers if container["name"] == "checker"]
    given = {variable["name"]: _placed(variable.get("value", ""), kafka.folder) for variable in checker["env"]}
    addresses = {"BROKER_PORT": str(kafka.internal), "CONTROLLERS": f"127.0.0.1:{kafka.controller}"}
    return {**given, "POD": "kafka-0", **addresses, "PYTHONPATH": str(ROOT / "components")}


# Does what a pod would: Kafka's tools by their classes, the checker's questions, one pod that is ready.
_KUBECTL = f"""
import json, os, sys
from pathlib import Path

folder = Path(__file__).parent.parent
verb, *rest = [argument for argument in sys.argv[1:] if not argument.startswith("--kubeconfig=")
               and not argument.startswith("--namespace=")]
if verb == "get":
    ready = {{"conditions": [{{"type": "Ready", "status": "True"}}]}}
    print(json.dumps({{"items": [{{"metadata": {{"name": "kafka-0"}}, "status": ready}}]}}))
    sys.exit()
pod, _, container, _, program, *arguments = (argument for argument in rest if argument != "-i")
with (folder / "calls").open("a") as log:
    log.write(f"{{container}} {{Path(program).stem}}\\n")
if container == "checker":
    environment = json.loads((folder / "kubectl.json").read_text())
    os.execve(sys.executable, [sys.executable, *arguments], environment)
classes = dict(line.split()[:2] for line in Path({str(_TOOLS)!r}).read_text().splitlines())
java = [*{list(_JAVA)!r}, "-Xmx128m", f"-Dlog4j2.configurationFile={{folder}}/log4j2.yaml"]
command = []
for part in (program, *arguments):
    command += [*java, classes[Path(part).stem]] if part.startswith("/opt/kafka/bin/") else [part]
os.execvp(command[0], command)
"""


def _await(node: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _STARTS_IN
    while time.monotonic() < deadline:
        assert node.poll() is None, "Kafka ended: see its log"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"Kafka does not listen after {_STARTS_IN} s: see its log")


def _await_registration(kafka: LocalKafka) -> None:
    """A broker listens before it is unfenced."""
    connection = Connection("127.0.0.1", kafka.port, _STARTS_IN)
    deadline = time.monotonic() + _STARTS_IN
    while time.monotonic() < deadline:
        if connection.metadata().brokers == {0, 1}:
            connection.close()
            return
        time.sleep(0.2)
    pytest.fail(f"broker 1 is not registered after {_STARTS_IN} s: see its log")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
