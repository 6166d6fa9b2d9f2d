"""The two programs, each as a stack with a simulated cluster of its own, in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from tests.bench.checkpoint import Checkpoint, cluster_only
from tests.stack import ROOT, PulumiFailed, Stack

_STRAIGHT = ROOT / "tests/bench/straight"
SETTINGS: dict[str, Any] = {
    "cluster": {"kind": "kwok", "name": "bench-components", "nodesPerZone": 2},
    "topics": [{"name": "orders", "partitions": 6}],
}


_LABEL = "app.kubernetes.io/name=kafka"
_EMPTY_PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

PolicyPack("empty", [ResourceValidationPolicy("nothing", "Nothing.", lambda args, report: None)])
"""


@dataclass(frozen=True)
class Program:
    """A stack that is measured. `cluster` is the name of the simulated cluster that it makes."""

    stack: Stack
    cluster: str

    @classmethod
    def components(cls, folder: Path) -> "Program":
        """This checkout's program."""
        return cls(Stack.create(folder, "bench", SETTINGS, _environment(folder)), "bench-components")

    @classmethod
    def straight(cls, folder: Path) -> "Program":
        """The same resources in one straight line."""
        for part in (_STRAIGHT / "Pulumi.yaml", _STRAIGHT / "__main__.py", ROOT / "components", ROOT / ".venv"):
            (folder / part.name).symlink_to(part)
        (folder / "state").mkdir()
        stack = Stack(folder, "bench", _environment(folder))
        stack.pulumi("stack", "init", stack.name)
        return cls(stack, "bench-straight")

    def preview(self) -> float:
        """Seconds of `pulumi preview`."""
        return self._seconds("preview")

    def preview_with(self, pack: Path) -> float:
        """Seconds of `pulumi preview` with a policy pack."""
        return self._seconds("preview", "--policy-pack", str(pack))

    def up(self) -> float:
        """Seconds of `pulumi up` without its preview: the program runs once."""
        return self._seconds("up", "--yes", "--skip-preview")

    def down(self) -> None:
        """Destroys all that the stack has, its cluster too; the stack stays."""
        self.stack.pulumi("destroy", "--stack", self.stack.name, "--yes", "--skip-preview")

    def checkpoint(self) -> Checkpoint:
        """The stack's state."""
        checkpoint: Checkpoint = json.loads(self.stack.pulumi("stack", "export", "--stack", self.stack.name))
        return checkpoint

    def empty_the_cluster(self) -> None:
        """Takes all off the cluster and out of the state that stands on it; the cluster stays, as it was made."""
        file = self.stack.folder / "checkpoint.json"
        file.write_text(json.dumps(cluster_only(self.checkpoint())))
        kubeconfig = self.stack.outputs()["kubeconfig"]
        _take_all_off(config.new_client_from_config_dict(yaml.safe_load(kubeconfig)))
        self.stack.pulumi("stack", "import", "--stack", self.stack.name, "--file", str(file))

    def _seconds(self, *command: str) -> float:
        start = time.perf_counter()
        self.stack.pulumi(command[0], "--stack", self.stack.name, *command[1:])
        return time.perf_counter() - start


def empty_pack(folder: Path) -> Path:
    """A policy pack in `folder` whose one policy does nothing: what any pack costs."""
    folder.mkdir()
    options = {"toolchain": "pip", "virtualenv": sys.prefix}
    about = {"name": "empty", "version": "0.0.1", "runtime": {"name": "python", "options": options}}
    (folder / "PulumiPolicy.yaml").write_text(yaml.safe_dump(about))
    (folder / "__main__.py").write_text(_EMPTY_PACK)
    return folder


@contextmanager
def both() -> Iterator[dict[str, Program]]:
    """Both programs, nothing deployed yet; in the end, however it comes, nothing of them is left."""
    with ExitStack() as stack:
        programs = {}
        for name, make in (("components", Program.components), ("straight", Program.straight)):
            folder = Path(tempfile.mkdtemp(prefix=f"kafka-ha-bench-{name}-"))
            stack.callback(_remove, folder, f"bench-{name}")
            programs[name] = make(folder)
        yield programs


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PULUMI_BACKEND_URL": f"file://{folder}/state",
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "KWOK_WORKDIR": str(folder / "kwok"),
    }


def _take_all_off(api: Any) -> None:
    """The brokers' namespace goes, and the rights that are in none; what was on the volumes is forgotten, so that new
    claims may have them.
    """
    core, rights = client.CoreV1Api(api), client.RbacAuthorizationV1Api(api)
    rights.delete_collection_cluster_role_binding(label_selector=_LABEL)
    rights.delete_collection_cluster_role(label_selector=_LABEL)
    core.delete_namespace("kafka")
    gone = retry(stop=stop_after_delay(120), wait=wait_fixed(0.2), retry=retry_if_result(bool))
    gone(lambda: [item for item in core.list_namespace().items if item.metadata.name == "kafka"])()
    for volume in core.list_persistent_volume().items:
        if volume.spec.claim_ref:
            core.patch_persistent_volume(volume.metadata.name, {"spec": {"claimRef": None}})
    gone(lambda: [item for item in core.list_persistent_volume().items if item.status.phase != "Available"])()


def _remove(folder: Path, cluster: str) -> None:
    """Ends the cluster and whatever was interrupted, and removes the folder; the state goes with it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave the cluster running
    try:
        subprocess.run(
            ["kwokctl", "delete", "cluster", f"--name={cluster}"],
            env={**os.environ, "KWOK_WORKDIR": str(folder / "kwok")},
            capture_output=True,
            timeout=120,
            check=False,
        )
        for process in _processes_of(folder):
            os.kill(process, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        signal.signal(signal.SIGINT, before)


def _processes_of(folder: Path) -> Iterator[int]:
    """What an interrupted creation left: programs that have the folder, which is this run's alone, in their command."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "cmdline").read_bytes() and int(process.name) != os.getpid():
                yield int(process.name)
        except OSError:
            continue


__all__ = ["Program", "PulumiFailed", "both", "empty_pack"]
