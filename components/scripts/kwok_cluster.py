"""A simulated cluster, kwok's binary runtime: `python3 -m components.scripts.kwok_cluster create|delete`.

A real API server, scheduler and controllers; nodes and pods exist in the API only.
"""

import contextlib
import json
import os
import shutil
import socket
from pathlib import Path

from components.scripts import lifecycle
from components.scripts.lifecycle import Found, Spec
from components.scripts.process import run

BINARIES = {
    "kube-apiserver-binary": "kube-apiserver",
    "kube-controller-manager-binary": "kube-controller-manager",
    "kube-scheduler-binary": "kube-scheduler",
    "etcd-binary": "etcd",
    "kwok-controller-binary": "kwok",
}
_SECONDS = 180


class Kwok:
    """The kwokctl command line, for one cluster."""

    attempts = 2  # even free ports may be taken before the programs listen

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def check(self) -> None:
        """Raises Refused when one of the control plane's programs is not installed."""
        for program in (*BINARIES.values(), "kwokctl"):
            run(program, "--version", timeout=60)

    def find(self) -> Found | None:
        """The cluster of that name; its owner stands in a file beside kwok's own."""
        if self._marker.exists():
            return Found(**json.loads(self._marker.read_text()))
        return Found() if self._is_listed() else None

    def create(self) -> None:
        """Creates it."""
        self._marker.parent.mkdir(parents=True, exist_ok=True)
        self._marker.write_text(json.dumps({"owner": self.spec.owner, "fingerprint": self.spec.fingerprint}))
        binaries = [f"--{flag}={shutil.which(program)}" for flag, program in BINARIES.items()]
        limits = ["--wait=60s", "--timeout=60s"]
        self._kwokctl("create", "cluster", "--runtime=binary", *limits, *binaries, *free_ports())

    def start(self) -> None:
        """Starts what does not run of it; an interrupted creation has no kubeconfig yet and is refused at once."""
        self.kubeconfig()
        self._kwokctl("start", "cluster")

    def complete(self, kubeconfig: Path) -> None:
        """Nodes with zones and capacities, their ready-made volumes and the storage class."""
        objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": self.spec.options["objects"]})
        run(
            "kubectl",
            "--kubeconfig",
            str(kubeconfig),
            "apply",
            "--server-side",
            "-f",
            "-",
            stdin=objects,
            timeout=_SECONDS,
        )

    def delete(self) -> None:
        """Ends its processes and removes its files."""
        if self._is_listed():  # an interrupted creation may have left the marker only
            self._kwokctl("delete", "cluster")
        self._marker.unlink(missing_ok=True)
        self._own_kubeconfig.unlink(missing_ok=True)

    def kubeconfig(self) -> str:
        """With the certificates in it: kwok's own names files."""
        source = run("kwokctl", "get", "kubeconfig", "--name", self.spec.name, timeout=60)
        return run("kubectl", "--kubeconfig", "/dev/stdin", "config", "view", "--raw", "--flatten", stdin=source)

    def _is_listed(self) -> bool:
        return self.spec.name in run("kwokctl", "get", "clusters", timeout=60).split()

    @property
    def _marker(self) -> Path:
        home = Path(os.environ.get("KWOK_WORKDIR") or Path.home() / ".kwok")
        return home / "kafka-ha" / f"{self.spec.name}.json"

    @property
    def _own_kubeconfig(self) -> Path:
        return self._marker.with_suffix(".kubeconfig")

    def _kwokctl(self, *arguments: str) -> None:
        environment = {
            **os.environ,
            "KWOK_KUBE_VERSION": run("kube-apiserver", "--version").split()[-1],
            "KUBECONFIG": str(self._own_kubeconfig),  # else kwokctl switches the user's own to this cluster
        }
        run("kwokctl", *arguments, f"--name={self.spec.name}", timeout=_SECONDS, env=environment)


def free_ports() -> list[str]:
    """Flags with ports that are free now: two clusters that start at once would be given the same by kwokctl."""
    programs = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "controller")
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in programs]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [f"--{program}-port={probe.getsockname()[1]}" for program, probe in zip(programs, probes, strict=True)]


if __name__ == "__main__":
    lifecycle.command(Kwok(Spec.from_environment()))
