"""A real Kubernetes API server with simulated nodes, by kwokctl's binary runtime, for tests.

Use `KwokCluster.create`. Tests are skipped, with the reason, where a program is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from components.scripts.kwok_cluster import BINARIES, free_ports

KUBE_VERSION: Final = "v1.34.4"
PROGRAMS: Final = (
    "kwokctl",
    "kwok",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)
ZONES: Final = ("zone-a", "zone-b", "zone-c")
_CREATE_SECONDS: Final = 90
# kwokctl looks for free ports and uses them a moment later: another cluster may have taken one meanwhile.
_ATTEMPTS: Final = 3


def missing_programs() -> list[str]:
    """Return the programs a simulated cluster needs that are not on PATH."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


@dataclass(frozen=True)
class KwokCluster:
    """A running simulated cluster: its name and the folder of all its files."""

    name: str
    home: Path

    @staticmethod
    def create(home: Path, name: str = "") -> KwokCluster:
        """Start a cluster with its files under `home`; skips the test where a program is missing."""
        missing = missing_programs()
        if missing:
            pytest.skip(f"no simulated cluster: {', '.join(missing)} not on PATH (make setup gets them)")
        cluster = KwokCluster(name or f"test-{uuid.uuid4().hex[:8]}", home)
        flags = [f"--{flag}={shutil.which(program)}" for flag, program in BINARIES.items()]
        flags += ["--runtime=binary", f"--wait={_CREATE_SECONDS}s", f"--timeout={_CREATE_SECONDS}s"]
        said = ""
        for _ in range(_ATTEMPTS):
            done = cluster._run("create", "cluster", *flags, *free_ports())
            if done.returncode == 0:
                return cluster
            said = done.stderr
            cluster.delete()
        pytest.fail(f"no simulated cluster after {_ATTEMPTS} attempts; kwokctl says:\n{said[-3000:]}")

    def kwokctl(self, *args: str) -> str:
        """Run kwokctl on this cluster and return its output; the test fails with its error output."""
        done = self._run(*args)
        if done.returncode:
            pytest.fail(f"kwokctl {' '.join(args[:2])} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def _run(self, *args: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "KWOK_WORKDIR": str(self.home),
            "KWOK_KUBE_VERSION": KUBE_VERSION,
            "KUBECONFIG": str(self.home / "kubectl-config"),
        }
        return subprocess.run(
            ["kwokctl", *args, f"--name={self.name}"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * _CREATE_SECONDS,
            check=False,
        )

    @property
    def kubeconfig(self) -> str:
        """The kubeconfig's content, certificates included."""
        return self.kwokctl("get", "kubeconfig")

    def delete(self) -> None:
        """Stop every program of the cluster and remove its files."""
        self.kwokctl("delete", "cluster")

    def __enter__(self) -> KwokCluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.delete()


def node(name: str, zone: str, cpu: str = "4", memory: str = "16Gi") -> dict[str, Any]:
    """Return a simulated node's manifest in a zone."""
    capacity = {"cpu": cpu, "memory": memory, "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": zone,
                "type": "kwok",
            },
        },
        "status": {"allocatable": capacity, "capacity": capacity},
    }
