"""start.sh and stop.sh themselves, with Kafka's programs and the pod's folders replaced."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.kafka_plan import KafkaPlan, NodesPlan
from tests.unit.checker.environment import plan, variables

FOLDERS = re.compile("/(opt/kafka|etc/kafka-ha|run/kafka-ha|var/lib/kafka|tmp)\\b")
VOTERS = "0@kafka-0.kafka-svc:9093:AAAA,1@kafka-1.kafka-svc:9093:BBBB"


class Pod:
    """A pod's folders below one, and Kafka's programs that only tell what they were given; the first formats."""

    def __init__(self, root: Path, kafka: KafkaPlan, nodes: NodesPlan, name: str) -> None:
        self.root, self.nodes, self.name = root, nodes, name
        self.variables = variables(kafka, nodes, "kafka", name)
        for own in {"DISKS", "KEYSTORE"} & self.variables.keys():
            self.variables[own] = self.below_root(self.variables[own])
        self.disks = [Path(disk) for disk in self.variables["DISKS"].split()]
        for folder in (
            root / "opt/kafka/bin",
            root / "etc/kafka-ha",
            root / "run/kafka-ha",
            root / "tmp",
            *self.disks,
        ):
            folder.mkdir(parents=True)
        formats = 'for disk in $DISKS; do mkdir -p "$disk/kraft"; touch "$disk/kraft/meta.properties"; done\n'
        for program, does in (("kafka-storage.sh", formats), ("kafka-server-start.sh", "")):
            script = root / "opt/kafka/bin" / program
            script.write_text(f'#!/bin/bash\necho "{program} $* (heap $KAFKA_HEAP_OPTS)"\n{does}')
            script.chmod(0o755)
        for file, text in kafka.files(nodes).items():
            (root / "etc/kafka-ha" / file).write_text(self.below_root(text))

    def below_root(self, text: str) -> str:
        return FOLDERS.sub(rf"{self.root}/\1", text)

    def is_prepared(self, format_: str, node: int, voters: str = "") -> None:
        (self.root / "run/kafka-ha/start").write_text(
            f"zone=zone-b\nformat={format_}\nnode_id={node}\nvoters={voters}\n"
        )

    def runs(self, script: str, limit: str = "", **more: str) -> list[str]:
        """What it says, less what it says of this machine's limit of open files; `limit` is a command before it, which
        sets that.
        """
        said = self.says(f"{limit}bash {self.root}/etc/kafka-ha/{script}", **more)
        return [line for line in said if limit or not line.startswith("start: ")]

    def says(self, command: str, **more: str) -> list[str]:
        result = subprocess.run(
            ["bash", "-c", command],
            env={"PATH": "/usr/bin:/bin"} | self.variables | more,
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stderr == ""
        return result.stdout.replace(f"{self.root}/", "").splitlines()

    def does(self, program: str, what: str) -> None:
        """Makes one of Kafka's programs do something else."""
        (self.root / "opt/kafka/bin" / program).write_text(f"#!/bin/bash\n{what}\n")

    @contextmanager
    def starts(self, said: str) -> Iterator[subprocess.Popen[str]]:
        """start.sh, as soon as Kafka's program has `said` a line."""
        command = ["bash", f"{self.root}/etc/kafka-ha/start.sh"]
        # A shell can't trap what was ignored when it began, as SIGINT is in tests that run in the background.
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with subprocess.Popen(
            command, env=self.variables, stdout=subprocess.PIPE, text=True, preexec_fn=heed
        ) as process:
            assert process.stdout
            while process.stdout.readline() != f"{said}\n":
                assert process.poll() is None
            yield process

    def properties(self) -> dict[str, str]:
        lines = (self.root / "tmp/server.properties").read_text().splitlines()
        assert len({line.partition("=")[0] for line in lines}) == len(lines)
        return dict(line.split("=", 1) for line in lines)


def pod(root: Path, name: str = "kafka-1", **settings: Any) -> Pod:
    kafka = plan(**settings)
    return Pod(root, kafka, kafka.controllers if "controller" in name else kafka.brokers, name)


STARTED = "kafka-server-start.sh tmp/server.properties (heap -Xms512m -Xmx512m)"
WAIT = "for _ in {1..100}; do sleep 0.1; done"
FORMAT = "kafka-storage.sh format --ignore-formatted --cluster-id={} --config tmp/server.properties {} (heap -Xmx128m)"


@pytest.mark.parametrize(
    ("name", "settings", "node", "addresses"),
    [
        ("kafka-1", {}, 1, ["PLAINTEXT:9092", "CONTROLLER:9093"]),
        ("kafka-2", {"dedicatedControllers": {}}, 2, ["PLAINTEXT:9092"]),
        ("kafka-controller-0", {"dedicatedControllers": {}}, 1000, ["CONTROLLER:9093"]),
    ],
)
def test_it_writes_what_is_a_nodes_own(
    tmp_path: Path, name: str, settings: dict[str, Any], node: int, addresses: list[str]
) -> None:
    started = pod(tmp_path, name, **settings)
    started.is_prepared("none", node)
    started.runs("start.sh")
    properties = started.properties()
    assert (properties["node.id"], properties["broker.rack"]) == (str(node), "zone-b")
    host = f"{name}.kafka.svc.cluster.local"
    told = [address.replace(":", f"://{host}:") for address in addresses]
    assert properties["advertised.listeners"] == ",".join(told)
    common = (tmp_path / "etc/kafka-ha/server.properties").read_text().splitlines()
    assert (tmp_path / "tmp/server.properties").read_text().splitlines()[: len(common)] == common


@pytest.mark.parametrize(
    ("outside", "address"),
    [
        ({"hosts": "kafka-{id}.example.com"}, "EXTERNAL://kafka-1.example.com:9095"),
        ({"hosts": "b{id}.example.com", "service": "NodePort", "nodePort": 31000}, "EXTERNAL://b1.example.com:31001"),
    ],
)
def test_a_broker_tells_clients_outside_its_own_address(tmp_path: Path, outside: dict[str, Any], address: str) -> None:
    started = pod(tmp_path, dedicatedControllers={}, security={"external": outside})
    started.variables["TLS"] = str(tmp_path)
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).write_text(name)
    started.is_prepared("none", 1)
    started.runs("start.sh")
    *_, told = started.properties()["advertised.listeners"].split(",")
    assert told == address
    assert Path(started.variables["KEYSTORE"]).read_text() == "tls.keytls.crt"


@pytest.mark.parametrize(
    ("format_", "how"), [("initial", f"--initial-controllers {VOTERS}"), ("join", "--no-initial-controllers")]
)
def test_it_formats_as_was_decided(tmp_path: Path, format_: str, how: str) -> None:
    started = pod(tmp_path)
    started.is_prepared(format_, 1, VOTERS if format_ == "initial" else "")
    assert started.runs("start.sh") == [FORMAT.format(started.variables["CLUSTER_ID"], how), STARTED]


@pytest.mark.parametrize("agent", ["", "/var/lib/kafka/data/jmx.jar=9404:/etc/kafka-ha/metrics.yaml"])
def test_it_starts_java_with_the_agent_that_was_prepared(tmp_path: Path, agent: str) -> None:
    started = pod(tmp_path)
    started.is_prepared("none", 1)
    with (tmp_path / "run/kafka-ha/start").open("a") as file:
        file.write(f"agent={agent}\n")
    started.disks[0].joinpath("kraft").mkdir()
    started.disks[0].joinpath("kraft/meta.properties").touch()
    (tmp_path / "opt/kafka/bin/kafka-server-start.sh").write_text('#!/bin/bash\necho "$KAFKA_OPTS"\n')
    [options] = started.runs("start.sh")
    assert [option for option in options.split() if "javaagent" in option] == ([f"-javaagent:{agent}"] if agent else [])


@pytest.mark.parametrize(("format_", "told"), [("initial", ["--release-version 4.2"]), ("join", [])])
def test_a_new_quorum_begins_with_the_metadata_version_that_is_set(
    tmp_path: Path, format_: str, told: list[str]
) -> None:
    started = pod(tmp_path, metadataVersion="4.2")
    started.is_prepared(format_, 1, VOTERS)
    [formatted, _] = started.runs("start.sh")
    assert re.findall(r"--release-version \S+", formatted) == told


def test_a_formatted_disk_is_left_alone(tmp_path: Path) -> None:
    started = pod(tmp_path)
    started.is_prepared("initial", 1, VOTERS)
    assert len(started.runs("start.sh")) == 2
    assert started.runs("start.sh") == [STARTED]  # the container starts again in its pod


def test_a_disk_that_is_emptied_beside_kafka_is_not_formatted_for_a_first_quorum_again(tmp_path: Path) -> None:
    started = pod(tmp_path)
    started.is_prepared("initial", 1, VOTERS)
    started.runs("start.sh")
    (started.disks[0] / "kraft/meta.properties").unlink()
    [formatted, _] = started.runs("start.sh")
    assert "--no-initial-controllers" in formatted


def test_a_new_disk_beside_a_formatted_one_is_formatted(tmp_path: Path) -> None:
    started = pod(tmp_path, storage={"volumes": 2})
    started.is_prepared("initial", 1, VOTERS)
    started.runs("start.sh")
    (started.disks[1] / "kraft/meta.properties").unlink()
    started.is_prepared("none", 1)
    [formatted, _] = started.runs("start.sh")
    assert "--no-initial-controllers" in formatted
    assert started.properties()["log.dirs"] == ",".join(f"{disk}/kraft" for disk in started.disks)


def test_too_few_open_files_are_told(tmp_path: Path) -> None:
    started = pod(tmp_path)
    started.is_prepared("none", 1)
    told = "start: 1000 files may be open; Kafka's documentation asks for 100000 (the container runtime's LimitNOFILE)"
    # Both: the hard limit can't be set below the soft one.
    assert told in started.runs("start.sh", "ulimit -n 1000; ")


def test_the_jvms_options_are_set_only_where_given(tmp_path: Path) -> None:
    started = pod(tmp_path, jvmOptions="-XX:+UseSerialGC", resources={"heap": "256Mi"})
    started.is_prepared("none", 1)
    tells = tmp_path / "opt/kafka/bin/kafka-server-start.sh"
    tells.write_text('#!/bin/bash\necho "${KAFKA_JVM_PERFORMANCE_OPTS-unset} $KAFKA_HEAP_OPTS"\n')
    assert started.runs("start.sh")[-1] == "-XX:+UseSerialGC -Xms256m -Xmx256m"
    assert started.runs("start.sh", JVM_OPTIONS="")[-1] == "unset -Xms256m -Xmx256m"


def test_a_start_that_fails_to_format_starts_no_kafka(tmp_path: Path) -> None:
    started = pod(tmp_path)
    started.is_prepared("join", 1)
    (tmp_path / "opt/kafka/bin/kafka-storage.sh").write_text("#!/bin/bash\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        started.runs("start.sh")
    assert "kafka-server-start" not in failure.value.stdout


def test_it_ends_as_kafka_does(tmp_path: Path) -> None:
    started = pod(tmp_path)
    started.is_prepared("join", 1)
    started.does("kafka-server-start.sh", "exit 7")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        started.runs("start.sh")
    assert failure.value.returncode == 7


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_kafka_has_its_time_to_end(tmp_path: Path, asked: signal.Signals) -> None:
    started = pod(tmp_path)
    started.is_prepared("join", 1)
    started.does("kafka-server-start.sh", f"trap 'sleep 1; touch {tmp_path}/clean; exit 5' TERM\necho up\n{WAIT}")
    with started.starts("up") as process:
        process.send_signal(asked)
        time.sleep(0.3)
        process.send_signal(asked)
        assert process.wait(5) == 5
    assert (tmp_path / "clean").exists()


def test_kafka_is_killed_when_it_must_stop_and_was_asked_to(tmp_path: Path) -> None:
    started = pod(tmp_path)
    started.is_prepared("join", 1)
    started.does("kafka-server-start.sh", f"trap '' TERM\necho up\n{WAIT}")
    must_stop = tmp_path / "run/kafka-ha/must-stop"
    must_stop.touch()
    with started.starts("up") as process:
        assert lasts(process)
        must_stop.unlink()
        process.terminate()
        assert lasts(process)
        must_stop.touch()
        assert process.wait(5) == 128 + signal.SIGKILL


def test_a_stop_before_kafka_starts_leaves_a_formatted_disk(tmp_path: Path) -> None:
    started = pod(tmp_path)
    started.is_prepared("join", 1)
    started.does("kafka-storage.sh", f"echo formats\nsleep 0.5\ntouch {tmp_path}/formatted")
    with started.starts("formats") as process:
        process.terminate()
        assert process.wait(5) == 128 + signal.SIGTERM
        assert process.stdout
        assert process.stdout.read() == ""
    assert (tmp_path / "formatted").exists()


def lasts(process: subprocess.Popen[str]) -> bool:
    """Whether it has not ended after a second."""
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        return True
    return False


def test_the_hook_waits_until_kafka_may_stop(tmp_path: Path) -> None:
    stopped = pod(tmp_path)
    for file in ("may-stop", "must-stop"):  # of a stop before, after which the container has started again
        (tmp_path / "run/kafka-ha" / file).touch()
    with subprocess.Popen(["bash", str(tmp_path / "etc/kafka-ha/stop.sh")], env=stopped.variables) as hook:
        with pytest.raises(subprocess.TimeoutExpired):
            hook.wait(1)
        assert (tmp_path / "run/kafka-ha/stopping").exists()
        assert not (tmp_path / "run/kafka-ha/must-stop").exists()
        (tmp_path / "run/kafka-ha/may-stop").touch()
        assert hook.wait(2) == 0
    stopped.is_prepared("none", 1)
    stopped.runs("start.sh")
    assert not (tmp_path / "run/kafka-ha/stopping").exists()


def test_the_hook_ends_in_time_without_a_checker(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert pod(tmp_path).runs("stop.sh", GRACE_PERIOD="3") == []
    assert time.monotonic() - begun < 2.5
