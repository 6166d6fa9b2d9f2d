"""Which nodes are containers of this machine, by docker and k3d that only tell."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drills import machines
from drills.errors import NotApplicable
from drills.machines import K3d, OutOfReach
from tests.unit.drills_rim.cluster import node

DOCKER = """#!/bin/bash
echo "$(basename $0) $*" >>{log}
case "$1 $2" in
  "ps --all") printf 'k3d-dev-agent-0\\tdev\\nk3d-dev-agent-1\\tdev\\n' ;;
  "inspect -f") case "${{@: -1}}" in *-0) echo "172.20.0.3 " ;; *) echo "172.20.0.4 " ;; esac ;;
  "kill "*) exit {code} ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    def make(code: int = 0) -> Path:
        log = tmp_path / "log"
        log.touch()
        for name in ("docker", "k3d"):
            (tmp_path / name).write_text(DOCKER.format(log=log, code=code))
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return log

    return make


def at(name: str, address: str) -> dict[str, Any]:
    found = node(name, "a")
    found["status"]["addresses"] = [{"type": "InternalIP", "address": address}]
    return found


def test_nodes_of_k3d_are_found_and_their_power_cut(docker: Callable[[int], Path]) -> None:
    log = docker(0)
    found = machines.find([at("k3d-dev-agent-0", "172.20.0.3"), at("k3d-dev-agent-1", "172.20.0.4")])
    assert isinstance(found, K3d)
    found.kill("k3d-dev-agent-0", "k3d-dev-agent-1")
    assert found.add("drill-a", "topology.kubernetes.io/zone=a") == "k3d-drill-a-0"
    found.check("k3d-drill-a-0")
    found.remove("k3d-dev-agent-1")
    with pytest.raises(NotApplicable):
        found.check("k3d-dev-agent-1")
    lines = log.read_text().splitlines()
    assert "docker kill k3d-dev-agent-0 k3d-dev-agent-1" in lines, "at once"
    assert any(line.startswith("k3d node create drill-a --cluster dev --role agent") for line in lines)


def test_a_node_of_that_name_in_another_cluster_is_none(docker: Callable[[int], Path]) -> None:
    docker(0)
    found = machines.find([at("k3d-dev-agent-0", "10.1.2.3")])
    assert isinstance(found, OutOfReach)
    with pytest.raises(NotApplicable, match="only nodes of k3d"):
        found.kill("k3d-dev-agent-0")


def test_without_docker_all_are_out_of_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isinstance(machines.find([at("k3d-dev-agent-0", "172.20.0.3")]), OutOfReach)


def test_a_failure_is_told_in_dockers_words(docker: Callable[[int], Path]) -> None:
    docker(1)
    found = machines.find([at("k3d-dev-agent-0", "172.20.0.3")])
    with pytest.raises(machines.MachineFailed, match="docker kill k3d-dev-agent-0: failed"):
        found.kill("k3d-dev-agent-0")
