"""The k3d script with a `docker` and a `k3d` that only answer what a test gives them."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from components.scripts.k3d_cluster import K3d, create_command
from components.scripts.lifecycle import Found, Spec
from components.scripts.process import Refused

SPEC = Spec("kube-cluster", "org.kafka-ha.dev", "abc", ("a", "b"), 2, {})


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program with a body in bash on PATH, where nothing else of k3d's is."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(name: str, body: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)

    return make


def test_a_pool_of_agents_for_each_zone() -> None:
    options = {"image": "rancher/k3s:v1.34.4-k3s1", "network": "net", "extra_args": ["--servers-memory=2g"]}
    command = create_command(Spec("kube-cluster", "me", "abc", ("a", "b"), 2, options), 6550)
    assert command[:6] == ["k3d", "cluster", "create", "kube-cluster", "--agents", "4"]
    labels = [command[index + 1] for index, word in enumerate(command) if word == "--k3s-node-label"]
    zone = "topology.kubernetes.io/zone"
    assert labels == [f"{zone}=a@agent:0", f"{zone}=a@agent:1", f"{zone}=b@agent:2", f"{zone}=b@agent:3"]
    assert "127.0.0.1:6550" in command
    assert command[-5:] == ["--image", "rancher/k3s:v1.34.4-k3s1", "--network", "net", "--servers-memory=2g"]


@pytest.mark.parametrize(
    ("containers", "found"),
    [
        ("", None),
        (r"\t\n\t\n", Found()),
        (r"org.kafka-ha.dev\tabc\norg.kafka-ha.dev\tabc\n", Found("org.kafka-ha.dev", "abc")),
        (r"\t\norg.kafka-ha.dev\tabc\n", Found("org.kafka-ha.dev", "abc")),
    ],
)
def test_the_owner_is_in_the_containers_labels(
    program: Callable[[str, str], None], containers: str, found: Found | None
) -> None:
    program("docker", f"[[ \"$*\" == *label=k3d.cluster=kube-cluster* ]] && printf '{containers}'; true")
    assert K3d(SPEC).find() == found


def test_no_docker(program: Callable[[str, str], None]) -> None:
    program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(Refused) as refusal:
        K3d(SPEC).check()
    for part in ("kafka-ha:cluster.kind: got k3d", "no Docker daemon answers", "make up STACK=sim", "Cannot connect"):
        assert part in str(refusal.value)


def test_the_port_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        spec = Spec("kube-cluster", "me", "abc", ("a",), 1, {"api_port": port})
        with pytest.raises(Refused, match=f"kafka-ha:cluster.apiPort: got {port}, but another program listens there"):
            K3d(spec).create()


def test_images_that_cannot_be_pulled(program: Callable[[str, str], None]) -> None:
    program("k3d", "echo 'failed to pull image rancher/k3s' >&2; exit 1")
    with pytest.raises(Refused, match="make testbed") as refusal:
        K3d(SPEC).create()
    assert "failed to pull image rancher/k3s" in str(refusal.value)


def test_a_tool_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="k3d is not on PATH"):
        K3d(SPEC).create()
