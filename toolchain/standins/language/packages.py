"""The packages that a program's Python has, and the Pulumi plugins that they ask for."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pulumi.runtime.proto import plugin_pb2

from toolchain.standins.language.options import Options, OptionsError

# These have no plugin although their names say so.
WITHOUT_PLUGIN: Final = frozenset({"pulumi-policy", "pulumi-esc-sdk"})
_PRERELEASES: Final = {"a": "alpha", "b": "beta", "rc": "rc"}


@dataclass(frozen=True)
class Package:
    """One installed distribution; `plugin` is its pulumi-plugin.json, if any."""

    name: str
    version: str
    requires: tuple[str, ...]
    plugin: dict[str, Any] | None


def installed(options: Options) -> list[Package]:
    """Return what is installed for the project's Python, by name; raises OptionsError."""
    script = Path(__file__).with_name("inventory.py")
    try:
        # Isolated: neither the script's folder nor the user's variables may shadow a module.
        done = subprocess.run([options.python, "-I", str(script)], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        output = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise OptionsError(f"{options.python} could not list its packages: {output.strip()}") from None
    rows = json.loads(done.stdout)
    found = [Package(row["name"], row["version"], tuple(row["requires"]), row["plugin"]) for row in rows]
    return sorted(found, key=lambda package: package.name)


def top_level(packages: list[Package]) -> list[Package]:
    """Return the packages that no other one requires."""
    required = {_requirement(text) for package in packages for text in package.requires}
    return [package for package in packages if package.name not in required]


def _requirement(text: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", text)
    return re.sub(r"[-_.]+", "-", match.group()).lower() if match else ""


def plugin_of(package: Package) -> plugin_pb2.PackageDependency | None:
    """Return the plugin that a package asks for: by its pulumi-plugin.json, else by its name and version."""
    if package.name in WITHOUT_PLUGIN or not (package.plugin or package.name.startswith("pulumi-")):
        return None
    said = package.plugin or {}
    if package.plugin is not None and not said.get("resource"):
        return None
    version = said.get("version") or plugin_version(package.version)
    if not version:
        return None
    return plugin_pb2.PackageDependency(
        name=said.get("name") or package.name.removeprefix("pulumi-"),
        kind="resource",
        version=version if version.startswith("v") else f"v{version}",
        server=said.get("server", ""),
        parameterization=_parameterization(said.get("parameterization")),
    )


def _parameterization(said: dict[str, str] | None) -> plugin_pb2.PackageParameterization | None:
    if not said:
        return None
    return plugin_pb2.PackageParameterization(
        name=said["name"], version=said["version"], value=base64.b64decode(said["value"])
    )


def plugin_version(version: str) -> str:
    """Return the plugin's version (semantic) for a package's (PEP 440), empty where there is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.(post\d+))?(?:\.(dev\d+))?", version, flags=re.ASCII)
    if not match:
        return ""
    release, pre, number, post, dev = match.groups()
    numbers = [*release.split("."), "0", "0"][: max(3, release.count(".") + 1)]
    build = (post or "") + (dev or "")
    return ".".join(numbers) + (f"-{_PRERELEASES[pre]}.{number}" if pre else "") + (f"+{build}" if build else "")
