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
_PLUGINS = ("pulumi-language-python", "pulumi-resource-kubernetes", "pulumi-resource-command")


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
    """Whether any of the plugins on PATH is one of the checkout's launchers, which are scripts."""
    paths = (shutil.which(plugin) for plugin in _PLUGINS)
    return any(path is not None and Path(path).read_bytes()[:2] == b"#!" for path in paths)
