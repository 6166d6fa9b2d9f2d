"""Reads `versions.toml` into frozen dataclasses."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.errors import ToolError
from toolchain.layout import VERSIONS, Platform

STACKS = ("sim", "dev", "prod")
TESTS = "test"
"""What only tests run is asked for as a stack of that name; it holds none up."""


@dataclass(frozen=True)
class Release:
    """An official release for one platform: where it is, and which parts of an archive are wanted.

    `take` holds file name patterns; empty means that the download is the program itself.
    """

    url: str
    checksums: tuple[str, ...]
    take: tuple[str, ...]

    @property
    def filename(self) -> str:
        """The release's file name, under which the checksum lists know it."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Build:
    """A Go module below `toolchain/go`: which packages make which programs.

    `names` are the names by which a program that acts by its name is called; `minutes` is the time from nothing on
    two cores.
    """

    name: str
    version: str
    minutes: int
    packages: Mapping[str, str]
    ldflags: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]

    @property
    def programs(self) -> tuple[str, ...]:
        """Every name that the build puts into its `bin` folder."""
        return (*self.packages, *(name for names in self.names.values() for name in names))


@dataclass(frozen=True)
class Tool:
    """A program of a stack. `official` holds the release's templates, as `versions.toml` has them."""

    name: str
    version: str
    accepts: str
    ask: tuple[str, ...]
    stacks: tuple[str, ...]
    build: str
    official: Mapping[str, Any] | None

    def release(self, platform: Platform) -> Release | None:
        """The official release for `platform`, or None when its makers publish none."""
        return _release(self.official, self.version, platform)


@dataclass(frozen=True)
class Plugin:
    """A part that Pulumi starts itself; `standin` is the folder of ours that serves where it can't be had.

    A `bundled` one is part of Pulumi's own release, and Pulumi looks for it beside its command.
    """

    program: str
    kind: str
    version: str
    standin: str
    what: str
    stacks: tuple[str, ...]
    official: Mapping[str, Any] | None
    bundled: bool = False

    @property
    def name(self) -> str:
        """The name Pulumi knows it by: `kubernetes` for `pulumi-resource-kubernetes`."""
        return self.program.removeprefix(f"pulumi-{self.kind}-")

    def release(self, platform: Platform) -> Release | None:
        """The official release for `platform`, or None when its makers publish none."""
        return _release(self.official, self.version, platform)


@dataclass(frozen=True)
class Pins:
    """Everything that `versions.toml` says."""

    tools: Mapping[str, Tool]
    builds: Mapping[str, Build]
    plugins: Mapping[str, Plugin]
    images: Mapping[str, str]

    def tools_of(self, stack: str) -> list[Tool]:
        """The programs that `stack` needs, in the order in which they are fetched."""
        return [tool for tool in self.tools.values() if stack in tool.stacks]

    def plugins_of(self, stack: str) -> list[Plugin]:
        """The plugins that `stack` needs."""
        return [plugin for plugin in self.plugins.values() if stack in plugin.stacks]


def load(path: Path = VERSIONS) -> Pins:
    """Reads the pins.

    Raises:
        ToolError: a key is missing or a tool names a build that isn't there.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        pins = Pins(
            tools={name: _tool(name, row) for name, row in raw["tool"].items()},
            builds={name: _build(name, row) for name, row in raw["build"].items()},
            plugins={name: _plugin(name, row) for name, row in raw["plugin"].items()},
            images=dict(raw["images"]),
        )
    except KeyError as missing:
        raise ToolError(f"{path}: the key {missing} is missing") from missing
    for tool in pins.tools.values():
        if tool.build not in pins.builds:
            known = ", ".join(pins.builds)
            raise ToolError(f"{path}: tool.{tool.name}.build={tool.build!r} is not one of: {known}")
    return pins


def _tool(name: str, row: Mapping[str, Any]) -> Tool:
    return Tool(
        name=name,
        version=row["version"],
        accepts=row["accepts"],
        ask=tuple(row["ask"]),
        stacks=tuple(row["stacks"]),
        build=row["build"],
        official=row.get("official"),
    )


def _build(name: str, row: Mapping[str, Any]) -> Build:
    return Build(
        name=name,
        version=row["version"],
        minutes=row["minutes"],
        packages=dict(row["packages"]),
        ldflags=tuple(flag.replace("{version}", row["version"]) for flag in row["ldflags"]),
        names={program: tuple(names) for program, names in row.get("names", {}).items()},
    )


def _plugin(program: str, row: Mapping[str, Any]) -> Plugin:
    return Plugin(
        program=program,
        kind=row["kind"],
        version=row["version"],
        standin=row["standin"],
        what=row["what"],
        stacks=tuple(row["stacks"]),
        official=row.get("official"),
        bundled=row.get("bundled", False),
    )


def _release(official: Mapping[str, Any] | None, version: str, platform: Platform) -> Release | None:
    if official is None:
        return None
    systems = official.get("os", {"linux": "linux", "darwin": "darwin"})
    arches = official.get("arch", {"amd64": "amd64", "arm64": "arm64"})
    if platform.os not in systems or platform.arch not in arches:
        return None
    fill = {"version": version, "os": systems[platform.os], "arch": arches[platform.arch]}
    return Release(
        url=official["url"].format(**fill),
        checksums=tuple(url.format(**fill) for url in official["checksums"]),
        take=tuple(official.get("take", ())),
    )
