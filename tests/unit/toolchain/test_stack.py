"""Preparing a stack and removing it, against a stand-in `pulumi` that writes down what it is asked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from toolchain import environment, pins, stack
from toolchain.errors import ToolError
from toolchain.layout import Layout
from toolchain.progress import Lines

PULUMI = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$1 $2" in
"stack init")
    [ -z "$REFUSES" ] || { echo "error: $REFUSES" >&2; exit 255; }
    mkdir -p "$STATE/.pulumi/stacks/kafka-ha"
    echo '{}' >"$STATE/.pulumi/stacks/kafka-ha/$3.json"
    echo "encryptionsalt: v1:x" >>"Pulumi.$3.yaml" ;;
"stack rm") rm "$STATE/.pulumi/stacks/kafka-ha/$4.json" ;;
"stack ls") echo "${LISTED:-[]}" ;;
"destroy -s") echo "$PULUMI_K8S_DELETE_UNREACHABLE" >>"$CALLS" ;;
esac
exit ${CODE:-0}
"""
DEV = "# a comment\nconfig:\n  kafka-ha:cluster:\n    kind: k3d\n    name: kube-cluster\n"
PINS = pins.load()


class Bench:
    """A checkout with a `pulumi` of our own on PATH."""

    def __init__(self, layout: Layout, tmp_path: Path, report: Lines) -> None:
        self.layout, self.report = layout, report
        self.bin, self.calls_file = tmp_path / "bin", tmp_path / "calls"
        self.bin.mkdir()
        self.program("pulumi", PULUMI)
        for name in ("sim", "prod"):
            (layout.root / f"Pulumi.{name}.yaml").write_text(
                DEV.replace("k3d", "kwok" if name == "sim" else "existing")
            )
        (layout.root / "Pulumi.dev.yaml").write_text(DEV)
        path = f"{self.bin}:{os.environ['PATH']}"
        self.environ = {"PATH": path, "CALLS": str(self.calls_file), "STATE": str(layout.state)}

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def prepare(self, name: str, **environ: str) -> dict[str, str]:
        return stack.prepare(self.layout, name, {**self.environ, **environ}, self.report)

    def check(self, name: str, **environ: str) -> None:
        stack.check(self.layout, PINS, name, {**self.environ, **environ}, self.report)

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []

    def settings(self, name: str) -> str:
        return (self.layout.root / f"Pulumi.{name}.yaml").read_text()


@pytest.fixture
def bench(layout: Layout, tmp_path: Path, report: Lines, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(layout, tmp_path, report)
    monkeypatch.setenv("PATH", made.environ["PATH"])
    return made


def test_a_stack_is_initialised_once(bench: Bench) -> None:
    bench.prepare("sim")
    bench.prepare("sim")
    assert bench.calls == ["stack init sim --no-select"]


def test_the_exit_code_is_passed_on(bench: Bench) -> None:
    ready = bench.prepare("sim")
    assert stack.pulumi(["up", "-s", "sim", "--yes"], bench.layout, {**ready, "CODE": "7"}) == 7
    assert bench.calls[-1] == "up -s sim --yes"


def test_destroy_leaves_nothing(bench: Bench) -> None:
    bench.prepare("dev")
    history = bench.layout.state / ".pulumi" / "history" / "kafka-ha" / "dev"
    history.mkdir(parents=True)
    (history / "dev-1.json").write_text("{}")
    assert environment.passphrase_file(bench.layout, "dev").exists()
    assert stack.destroy(bench.layout, "dev", bench.environ, bench.report) == 0
    assert bench.calls[1:] == ["destroy -s dev --yes", "true", "stack rm -s dev --yes --preserve-config"]
    assert not bench.layout.state.exists()
    assert bench.settings("dev") == DEV
    assert stack.absent(bench.layout, "dev", bench.environ)


def test_destroy_keeps_the_other_stacks(bench: Bench) -> None:
    bench.prepare("dev")
    bench.prepare("sim")
    assert stack.destroy(bench.layout, "sim", bench.environ, bench.report) == 0
    assert not stack.absent(bench.layout, "dev", bench.environ)
    assert environment.passphrase_file(bench.layout, "dev").exists()


def test_a_failed_destroy_keeps_the_state(bench: Bench) -> None:
    bench.prepare("sim")
    assert stack.destroy(bench.layout, "sim", {**bench.environ, "CODE": "3"}, bench.report) == 3
    assert not stack.absent(bench.layout, "sim", bench.environ)


def test_pulumi_asks_before_it_destroys_a_cluster_that_is_not_ours(bench: Bench) -> None:
    bench.prepare("prod")
    stack.destroy(bench.layout, "prod", bench.environ, bench.report)
    assert bench.calls[1:3] == ["destroy -s prod", ""]


def test_secrets_keep_their_passphrase(bench: Bench) -> None:
    secret = DEV + "  kafka-ha:password:\n    secure: v1:abc\n"
    (bench.layout.root / "Pulumi.dev.yaml").write_text(secret)
    bench.prepare("dev")
    stack.destroy(bench.layout, "dev", bench.environ, bench.report)
    assert environment.passphrase_file(bench.layout, "dev").exists()
    assert "encryptionsalt" in bench.settings("dev")


def test_a_salt_of_a_lost_passphrase_is_replaced(bench: Bench) -> None:
    (bench.layout.root / "Pulumi.dev.yaml").write_text(DEV + "encryptionsalt: v1:of-another\n")
    bench.prepare("dev")
    assert bench.settings("dev") == DEV + "encryptionsalt: v1:x\n"


def test_another_passphrase_is_one_sentence(bench: Bench) -> None:
    with pytest.raises(
        ToolError, match=r"dev can't be initialised: incorrect passphrase: Pulumi.dev.yaml was encrypted"
    ):
        bench.prepare("dev", REFUSES="incorrect passphrase")


def test_a_backend_of_the_user_is_asked_for_its_stacks(bench: Bench) -> None:
    listed = '[{"name": "org/kafka-ha/dev"}]'
    bench.prepare("dev", PULUMI_BACKEND_URL="https://api.example", LISTED=listed)
    assert bench.calls == ["stack ls --json"]
    assert not bench.layout.state.exists()


@pytest.mark.parametrize(
    ("lock", "stale"),
    [
        ({"hostname": "here", "pid": 1}, True),
        ({"hostname": "here", "pid": 2}, False),
        ({"hostname": "there", "pid": 1}, False),
        ({}, False),
    ],
)
def test_only_locks_of_dead_processes_of_this_machine_are_stale(lock: dict[str, Any], stale: bool) -> None:
    path = Path("lock.json")
    assert stack.stale_locks({path: lock}, "here", lambda pid: pid == 2) == ([path] if stale else [])


def test_the_lock_of_a_killed_run_is_removed(bench: Bench, lines: list[str]) -> None:
    bench.prepare("sim")
    gone = subprocess.Popen(["true"])
    gone.wait()
    folder = bench.layout.state / ".pulumi" / "locks" / "organization" / "kafka-ha" / "sim"
    folder.mkdir(parents=True)
    lock = folder / "1.json"
    lock.write_text(json.dumps({"hostname": socket.gethostname(), "pid": gone.pid}))
    bench.prepare("sim")
    assert not lock.exists()
    assert lines == ["sim: removing the lock of a Pulumi run that was killed"]


def docker_says(bench: Bench, client: str, daemon: str | None, pulls: bool) -> None:
    server = f'{{"Version":"{daemon}"}}' if daemon else "null"
    bench.program(
        "docker",
        f"""#!/bin/sh
case "$1" in
version) echo '{{"Client":{{"Version":"{client}"}},"Server":{server}}}'
    {"exit 0" if daemon else 'echo "Cannot connect to the Docker daemon" >&2; exit 1'} ;;
image) exit 1 ;;
pull) {"exit 0" if pulls else 'echo "no such host" >&2; exit 1'} ;;
esac
""",
    )


def test_a_docker_daemon_that_is_down_is_one_sentence(bench: Bench) -> None:
    docker_says(bench, "28.2.2", None, pulls=False)
    with pytest.raises(ToolError, match=r"Docker client 28.2.2 is there, but no daemon answers \(Cannot connect"):
        bench.check("dev")
    bench.check("sim")


def test_images_that_cannot_be_pulled_name_the_testbed(bench: Bench) -> None:
    docker_says(bench, "28.2.2", "28.2.2", pulls=False)
    with pytest.raises(ToolError, match=r"rancher/k3s:\S+ can't be pulled \(no such host\): .*`make testbed`"):
        bench.check("dev")


def test_images_are_pulled_before(bench: Bench, lines: list[str]) -> None:
    docker_says(bench, "28.2.2", "28.2.2", pulls=True)
    bench.check("dev")
    assert next(line for line in lines if "pulling" in line) == f"docker: pulling {PINS.images['node']}"


def test_no_docker_at_all(bench: Bench) -> None:
    with pytest.raises(ToolError, match=r"Docker is not installed: install it .*, or use STACK=sim"):
        bench.check("dev", PATH=str(bench.bin))
