"""Prepares a stack and calls Pulumi with it: state, passphrase, first initialisation, and the removal of it all."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from toolchain import docker, environment
from toolchain.errors import ToolError
from toolchain.layout import Layout
from toolchain.pins import Pins
from toolchain.progress import Reporter

PROJECT = "kafka-ha"
LOCAL_KINDS = ("kwok", "k3d")  # clusters that live on this machine and go with their stack
_SALT = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)


def check(layout: Layout, pins: Pins, stack: str, environ: Mapping[str, str], report: Reporter) -> None:
    """Looks whether the stack's cluster can be started here, before any tool is fetched for it.

    Raises:
        ToolError: it needs Docker and no daemon answers, or an image can't be had.
    """
    cluster = cluster_settings(layout.root, stack)
    if cluster.get("kind") == "k3d":
        _check_docker(pins, cluster, environ, report)


def prepare(layout: Layout, stack: str, environ: Mapping[str, str], report: Reporter) -> dict[str, str]:
    """Makes state, passphrase and stack ready for a Pulumi command; returns the environment for it.

    Raises:
        ToolError: the stack can't be initialised.
    """
    ready = _ready(layout, stack, environ, report)
    if not _exists(layout, stack, ready):
        _initialise(layout, stack, ready)
    return ready


def pulumi(arguments: Sequence[str], layout: Layout, environ: Mapping[str, str]) -> int:
    """Runs `pulumi` in the project's folder and returns its exit code. An interrupt is Pulumi's to handle."""
    process = subprocess.Popen(["pulumi", *arguments], cwd=layout.root, env=dict(environ))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def absent(layout: Layout, stack: str, environ: Mapping[str, str]) -> bool:
    """Whether it is certain, without asking Pulumi, that there is no such stack."""
    return environment.own_backend(layout, environ) and not _state_file(layout, stack).exists()


def destroy(layout: Layout, stack: str, environ: Mapping[str, str], report: Reporter) -> int:
    """Destroys a stack, removes it, and what was made for it. Works when its local cluster is gone already."""
    ready = _ready(layout, stack, environ, report)
    sure = ["--yes"]
    if cluster_settings(layout.root, stack).get("kind") in LOCAL_KINDS:
        ready["PULUMI_K8S_DELETE_UNREACHABLE"] = "true"  # what was in a cluster that is gone is gone
    else:
        sure = []  # Pulumi asks
    code = pulumi(["destroy", "-s", stack, *sure], layout, ready)
    if code:
        return code
    code = pulumi(["stack", "rm", "-s", stack, "--yes", "--preserve-config"], layout, ready)
    if code == 0 and environment.own_backend(layout, environ):
        tidy(layout, stack)
    return code


def tidy(layout: Layout, stack: str) -> None:
    """Removes what an ended stack leaves in this checkout: backups, history, its generated passphrase and salt."""
    store = layout.state / ".pulumi"
    for kind in ("stacks", "history", "backups"):
        for left in (store / kind / PROJECT).glob(f"{stack}*"):
            if left.name == stack or left.name.startswith(f"{stack}."):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    shutil.rmtree(store / "locks" / "organization" / PROJECT / stack, ignore_errors=True)
    settings = _settings_file(layout.root, stack)
    generated = environment.passphrase_file(layout, stack)
    if generated.exists() and not _has_secrets(settings):
        generated.unlink()
        _drop_salt(settings)
    if not any((store / "stacks").rglob("*.json")):
        shutil.rmtree(store, ignore_errors=True)
    if layout.state.is_dir() and not any(layout.state.iterdir()):
        layout.state.rmdir()


def cluster_settings(root: Path, stack: str) -> Mapping[str, Any]:
    """The cluster's settings in the stack's file as they are; the program itself judges them."""
    try:
        raw = yaml.safe_load(_settings_file(root, stack).read_text(encoding="utf-8"))
        found = raw["config"][f"{PROJECT}:cluster"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def stale_locks(locks: Mapping[Path, Mapping[str, Any]], host: str, alive: Callable[[int], bool]) -> list[Path]:
    """The locks that a killed Pulumi of this machine left: of this host, by a process that is gone. Pure."""
    return [
        path
        for path, lock in locks.items()
        if lock.get("hostname") == host and isinstance(lock.get("pid"), int) and not alive(lock["pid"])
    ]


def _ready(layout: Layout, stack: str, environ: Mapping[str, str], report: Reporter) -> dict[str, str]:
    ready = environment.applied(environment.variables(layout, stack, environ), environ)
    if environment.own_backend(layout, environ):
        folder = layout.state / ".pulumi" / "locks" / "organization" / PROJECT / stack
        for lock in stale_locks(_locks(folder), socket.gethostname(), _alive):
            report.note(f"{stack}: removing the lock of a Pulumi run that was killed")
            lock.unlink(missing_ok=True)
            lock.with_name(f"{lock.name}.attrs").unlink(missing_ok=True)
    return ready


def _locks(folder: Path) -> dict[Path, Mapping[str, Any]]:
    found = {}
    for path in folder.glob("*.json"):
        try:
            found[path] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
    return found


def _alive(pid: int) -> bool:
    """Whether `pid` is a Pulumi that runs: a process that was killed may stay a zombie, its number may be another's."""
    if shutil.which("ps") is None:
        return True  # it can't be told: the lock stays, and Pulumi names its way out
    told = subprocess.run(["ps", "-o", "stat=", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True)
    state, _, command = told.stdout.strip().partition(" ")
    return bool(state) and not state.startswith("Z") and "pulumi" in command


def _check_docker(pins: Pins, cluster: Mapping[str, Any], environ: Mapping[str, str], report: Reporter) -> None:
    found = docker.look(environ)
    if found.problem:
        raise ToolError(found.problem)
    for image in (cluster.get("image") or pins.images["node"], pins.images["tools"], pins.images["proxy"]):
        if docker.has_image(found, image, environ):
            continue
        with report.step("docker", f"pulling {image}"):
            failed = docker.pull(found, image, environ)
        if failed:
            raise ToolError(
                f"the image {image} can't be pulled ({failed}): where there is no image registry, `make testbed` "
                "builds stand-ins for the images (Debian, root), then run `make up STACK=dev` again"
            )


def _exists(layout: Layout, stack: str, ready: Mapping[str, str]) -> bool:
    if environment.own_backend(layout, ready):
        return _state_file(layout, stack).exists()
    listed = subprocess.run(
        ["pulumi", "stack", "ls", "--json"], cwd=layout.root, env=dict(ready), capture_output=True, text=True
    )
    if listed.returncode:
        raise ToolError(f"Pulumi can't list the stacks of {ready.get(environment.BACKEND)}: {listed.stderr.strip()}")
    return any(row["name"].rsplit("/", 1)[-1] == stack for row in json.loads(listed.stdout))


def _initialise(layout: Layout, stack: str, ready: Mapping[str, str]) -> None:
    settings = _settings_file(layout.root, stack)
    generated = environment.passphrase_file(layout, stack)
    if ready.get(environment.PHRASE_FILE) == str(generated) and not _has_secrets(settings):
        _drop_salt(settings)  # one of an earlier passphrase would refuse this one
    made = subprocess.run(
        ["pulumi", "stack", "init", stack, "--no-select"],
        cwd=layout.root,
        env=dict(ready),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if made.returncode == 0:
        return
    words = (made.stderr.strip() or made.stdout.strip()).removeprefix("error: ")
    hint = ""
    if "passphrase" in words:
        hint = (
            f": {settings.name} was encrypted with another passphrase; set PULUMI_CONFIG_PASSPHRASE or "
            "PULUMI_CONFIG_PASSPHRASE_FILE to that one"
        )
    raise ToolError(f"the stack {stack} can't be initialised: {words}{hint}")


def _state_file(layout: Layout, stack: str) -> Path:
    return layout.state / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"


def _settings_file(root: Path, stack: str) -> Path:
    return root / f"Pulumi.{stack}.yaml"


def _has_secrets(settings: Path) -> bool:
    return settings.exists() and "secure:" in settings.read_text(encoding="utf-8")


def _drop_salt(settings: Path) -> None:
    if not settings.exists():
        return
    text = settings.read_text(encoding="utf-8")
    without = _SALT.sub("", text)
    if without != text:
        partial = settings.with_name(f".{settings.name}.{os.getpid()}")
        partial.write_text(without, encoding="utf-8")
        os.replace(partial, settings)
