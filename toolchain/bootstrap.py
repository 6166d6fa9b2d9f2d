"""Makes `.venv` with all that requirements.txt and requirements-dev.txt name; at once when it is up to date.

Runs under the system's Python, so it uses the standard library only, and words that old versions understand.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
NEEDED = (3, 11)


def refusal(version: Sequence[int]) -> str | None:
    """The sentence for a Python that is too old, or None."""
    if tuple(version) >= NEEDED:
        return None
    found, needed = ".".join(map(str, version)), ".".join(map(str, NEEDED))
    return (
        f"Python {found} is too old: {needed} or newer is needed; "
        f"install it, or name it with `make PYTHON=python{needed} setup`"
    )


def stamp_of(root: str, version: Sequence[int]) -> str:
    """The content of the stamp of an environment that fits: a digest of the requirements and the Python version."""
    digest = hashlib.sha256(".".join(map(str, version)).encode())
    for name in REQUIREMENTS:
        with open(os.path.join(root, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_fresh(venv: str, wanted: str) -> bool:
    """Whether the environment was made from the same requirements."""
    try:
        with open(os.path.join(venv, "requirements.stamp")) as file:
            return file.read() == wanted and os.path.exists(os.path.join(venv, "bin", "python"))
    except OSError:
        return False


def make(root: str, venv: str, wanted: str) -> str | None:
    """Makes or completes the environment; the stamp is written last, so an interrupted run is gone on with."""
    say("venv: installing what requirements.txt and requirements-dev.txt name (about a minute the first time)")
    made = subprocess.run([sys.executable, "-m", "venv", venv])
    if made.returncode:
        return "no virtual environment could be made: on Debian and Ubuntu `apt-get install python3-venv` cures it"
    python = os.path.join(venv, "bin", "python")
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for name in REQUIREMENTS:
        command += ["-r", os.path.join(root, name)]
    if subprocess.run(command).returncode:
        return (
            "the Python packages could not be installed (pip's words are above): check the network and pip's "
            "configuration; `make setup` goes on from there"
        )
    stamp = os.path.join(venv, "requirements.stamp")
    with open(stamp + ".partial", "w") as file:
        file.write(wanted)
    os.replace(stamp + ".partial", stamp)
    say("venv: done")
    return None


def say(text: str) -> None:
    """A line on standard error: standard output belongs to the command that follows."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(root: str = ROOT) -> int:
    """Returns the exit code."""
    problem = refusal(sys.version_info[:2])
    if problem is None:
        venv = os.path.join(root, ".venv")
        wanted = stamp_of(root, sys.version_info[:2])
        if is_fresh(venv, wanted):
            return 0
        os.makedirs(venv, exist_ok=True)
        with open(os.path.join(venv, "requirements.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be making it: wait, then look again
            problem = None if is_fresh(venv, wanted) else make(root, venv, wanted)
    if problem:
        say("error: " + problem)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("interrupted: `make setup` goes on from here")
        sys.exit(130)
