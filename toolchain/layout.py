"""Where everything lies: this checkout's own folders and the cache that all checkouts share. Light to import."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = Path(__file__).resolve().parent / "versions.toml"


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout (`root`) and of the shared cache."""

    root: Path
    cache: Path
    pulumi_home: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], root: Path = ROOT) -> Layout:
        """Reads KAFKA_HA_CACHE and PULUMI_HOME; without them the usual folders of the user."""
        home = Path(environ.get("HOME") or Path.home())
        given = environ.get("PULUMI_HOME")
        if given == str(root / ".tools" / "pulumi"):  # `make env` set it, not the user
            given = None
        base = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
        return cls(
            root=root,
            cache=Path(environ.get("KAFKA_HA_CACHE") or base / "kafka-ha").expanduser().absolute(),
            pulumi_home=Path(given or home / ".pulumi").expanduser().absolute(),
        )

    @property
    def tools(self) -> Path:
        """All that `make setup` writes into this checkout."""
        return self.root / ".tools"

    @property
    def bin(self) -> Path:
        """This checkout's programs: links into the cache and the launchers of the bundled plugins' stand-ins."""
        return self.tools / "bin"

    @property
    def own_home(self) -> Path:
        """This checkout's PULUMI_HOME, with the launchers of the plugins' stand-ins."""
        return self.tools / "pulumi"

    @property
    def chosen(self) -> Path:
        """What was chosen for this checkout, and where it comes from."""
        return self.tools / "chosen.json"

    @property
    def state(self) -> Path:
        """Pulumi's local file backend and the passphrase files."""
        return self.root / ".state"

    def tool(self, name: str, version: str, origin: str) -> Path:
        """The folder of one installed tool in the cache; its programs are in `bin` below it."""
        return self.cache / "tools" / name / f"{version}-{origin}"

    def plugin(self, kind: str, name: str, version: str) -> Path:
        """The folder in which Pulumi looks for an installed plugin."""
        return self.pulumi_home / "plugins" / f"{kind}-{name}-v{version}"

    def standin(self, kind: str, name: str, version: str) -> Path:
        """The folder of the launcher of a stand-in that is not bundled."""
        return self.own_home / "plugins" / f"{kind}-{name}-v{version}"


@dataclass(frozen=True)
class Platform:
    """This machine as releases name it: os `linux` or `darwin`, arch `amd64` or `arm64`."""

    os: str
    arch: str

    @classmethod
    def here(cls) -> Platform:
        """The machine that this runs on; an unknown system keeps its own name, and has no releases."""
        machine = platform.machine().lower()
        arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
        return cls(os=platform.system().lower(), arch=arch)


def without(path: str, *folders: Path) -> str:
    """A PATH without what lies in or below `folders`."""
    kept = [entry for entry in path.split(os.pathsep) if entry and not _inside(Path(entry), folders)]
    return os.pathsep.join(kept)


def _inside(path: Path, folders: tuple[Path, ...]) -> bool:
    resolved = path.resolve()
    return any(resolved == folder or folder in resolved.parents for folder in map(Path.resolve, folders))
