"""What there is of Docker: nothing, a client only, or a daemon that answers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ANSWER_SECONDS = 10
PULL_SECONDS = 600


@dataclass(frozen=True)
class Docker:
    """The client's path and version, the daemon's version; None for what isn't there. `reason`: why no daemon."""

    path: str | None = None
    client: str | None = None
    daemon: str | None = None
    reason: str | None = None

    @property
    def problem(self) -> str | None:
        """One sentence on what is missing, with its cure; None when the daemon answers."""
        if self.path is None:
            return "Docker is not installed: install it (https://docs.docker.com/engine/install), or use STACK=sim"
        if self.daemon is None:
            return (
                f"the Docker client {self.client or ''} is there, but no daemon answers ({self.reason}): start it "
                "(`sudo systemctl start docker`, Docker Desktop, or `make testbed` on Debian as root), or use STACK=sim"
            )
        return None


def look(environ: Mapping[str, str]) -> Docker:
    """Asks the client and the daemon for their versions."""
    where = shutil.which("docker", path=environ.get("PATH"))
    if where is None:
        return Docker()
    code, out, err = _run([where, "version", "--format", "{{json .}}"], environ, ANSWER_SECONDS)
    try:
        told = json.loads(out)
    except ValueError:
        told = {}
    daemon = (told.get("Server") or {}).get("Version")
    lines = [line for line in err.splitlines() if line.strip()]
    reason = None if daemon else (lines[-1] if lines else f"docker version ended with {code}")
    return Docker(where, (told.get("Client") or {}).get("Version"), daemon, reason)


def has_image(docker: Docker, image: str, environ: Mapping[str, str]) -> bool:
    """Whether the daemon has `image` already."""
    return _run([docker.path or "docker", "image", "inspect", image], environ, ANSWER_SECONDS)[0] == 0


def pull(docker: Docker, image: str, environ: Mapping[str, str]) -> str | None:
    """Pulls `image`; returns why it failed, or None."""
    code, _, err = _run([docker.path or "docker", "pull", "--quiet", image], environ, PULL_SECONDS)
    return None if code == 0 else (err.strip().splitlines() or ["no answer"])[-1]


def _run(command: Sequence[str], environ: Mapping[str, str], limit: int) -> tuple[int, str, str]:
    try:
        done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return 124, "", f"no answer in {limit} s"
    except OSError as error:
        return 127, "", str(error)
    return done.returncode, done.stdout, done.stderr
