"""Where the numbers come from: the machine and the programs' versions."""

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("pulumi", "pulumi-kubernetes", "pulumi-command", "pydantic")
_PROGRAMS = {
    "pulumi": ("pulumi", "version"),
    "Kubernetes": ("kube-apiserver", "--version"),
    "kwok": ("kwok", "--version"),
}


def machine() -> str:
    """Cores, memory, system."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores, {pages / 2**30:.0f} GiB memory, {platform.system()} {platform.machine()}"


def load() -> str:
    """How busy the machine is: processes that ran or waited to run, on average over the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def versions() -> str:
    """Of everything that takes part."""
    found = [f"Python {platform.python_version()}"]
    found += [f"{name} {_said(*command)}" for name, command in _PROGRAMS.items()]
    found += [f"{package} {version(package)} (Python)" for package in _PACKAGES]
    return ", ".join(found) + f"; language host and plugins: {'stand-ins' if _stand_ins() else 'official'}"


def _said(*command: str) -> str:
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    match = re.search(r"\d+\.\d+\.\d+", out)
    return match[0] if match else "of unknown version"


def _stand_ins() -> bool:
    """Whether the language host is one of the checkout's launchers, which are scripts; the plugins come with it."""
    host = shutil.which("pulumi-language-python")
    return host is not None and Path(host).read_bytes()[:2] == b"#!"
