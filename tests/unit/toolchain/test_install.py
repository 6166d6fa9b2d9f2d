"""The order of the ways: PATH, official release, build, stand-in; what is remembered; what stops."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.toolchain.conftest import script
from tests.unit.toolchain.server import Mirror
from tests.unit.toolchain.test_build import MAIN
from toolchain import chosen, doctor
from toolchain.errors import ToolError
from toolchain.install import Installer
from toolchain.layout import Layout, Platform
from toolchain.pins import Build, Pins, Plugin, Tool
from toolchain.progress import Lines
from toolchain.sources import build

LINUX = Platform("linux", "amd64")
OFFICIAL = {"url": "https://h/tool-{version}-{os}-{arch}", "checksums": ["https://h/tool-{version}-{os}-{arch}.sha256"]}
PLUGIN_URL = "https://h/pulumi-resource-command-v{version}-{os}-{arch}.tar.gz"
PINS = Pins(
    tools={"pulumi": Tool("pulumi", "1.2.3", ">=1.2,<2", ("version",), ("sim",), "tiny", OFFICIAL)},
    builds={"tiny": Build("tiny", "1.2.3", 1, {"pulumi": "."}, ("-X main.version=v1.2.3",), {"pulumi": ("extra",)})},
    plugins={
        "pulumi-language-python": Plugin(
            "pulumi-language-python", "language", "1.2.3", "language", "the language host", ("sim",), None, bundled=True
        ),
        "pulumi-resource-command": Plugin(
            "pulumi-resource-command",
            "resource",
            "4.5.6",
            "command",
            "the command plugin",
            ("sim",),
            {"url": PLUGIN_URL, "checksums": [f"{PLUGIN_URL}.sha256"], "take": ["pulumi-resource-command"]},
        ),
    },
    images={},
)
TOOL_PATH = "/h/tool-1.2.3-linux-amd64"
PLUGIN_PATH = "/h/pulumi-resource-command-v4.5.6-linux-amd64.tar.gz"
PROGRAM = b"#!/bin/sh\necho v1.2.3\n"
# Where the tests run with the checkout's own tools, or on a machine with Pulumi, these must not be found.
CLEAN_PATH = os.pathsep.join(
    entry for entry in os.environ["PATH"].split(os.pathsep) if not any(Path(entry).glob("pulumi*"))
)
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go on PATH")


class Bench:
    """An installer whose world is a temporary folder and a loopback mirror."""

    def __init__(self, layout: Layout, mirror: Mirror, report: Lines, modules: Path) -> None:
        self.layout, self.mirror, self.report, self.modules = layout, mirror, report, modules
        self.environ = {**os.environ, "KAFKA_HA_MIRROR": mirror.url, "PATH": CLEAN_PATH}

    def run(self, pins: Pins = PINS, refresh: bool = False, **environ: str) -> dict[str, str]:
        installer = Installer(pins, self.layout, {**self.environ, **environ}, self.report, LINUX, refresh, self.modules)
        installer.official.sleep = lambda seconds: None
        return {name: choice.origin for name, choice in installer.setup(["sim"]).entries.items()}

    def says(self, name: str = "pulumi") -> str:
        return os.popen(str(self.layout.bin / name)).read().strip()


@pytest.fixture
def bench(tmp_path: Path, layout: Layout, mirror: Mirror, report: Lines) -> Bench:
    modules = tmp_path / "go"
    (modules / "tiny").mkdir(parents=True)
    (modules / "tiny" / "go.mod").write_text("module tiny\n\ngo 1.21\n")
    (modules / "tiny" / "main.go").write_text(MAIN)
    return Bench(layout, mirror, report, modules)


def publish_plugin(mirror: Mirror) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("pulumi-resource-command")
        member.size, member.mode = len(PROGRAM), 0o755
        archive.addfile(member, io.BytesIO(PROGRAM))
    mirror.publish(PLUGIN_PATH, packed.getvalue())


def test_a_fitting_program_on_path_is_used(bench: Bench, tmp_path: Path) -> None:
    script(tmp_path / "mine" / "pulumi", "v1.9.0")
    script(tmp_path / "mine" / "pulumi-language-python", "")
    found = bench.run(PATH=f"{tmp_path / 'mine'}:{CLEAN_PATH}")
    assert found == {"pulumi": "PATH", "pulumi-language-python": "PATH", "pulumi-resource-command": "stand-in"}
    assert not (bench.layout.bin / "pulumi").exists()
    assert TOOL_PATH not in [path for path, _ in bench.mirror.requests]


def test_an_unfitting_one_is_named_and_the_official_release_fetched(
    bench: Bench, tmp_path: Path, lines: list[str]
) -> None:
    script(tmp_path / "mine" / "pulumi", "v0.9.0")
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    assert bench.run(PATH=f"{tmp_path / 'mine'}:{CLEAN_PATH}")["pulumi"] == "official"
    assert bench.says() == "v1.2.3"
    assert f"pulumi: {tmp_path}/mine/pulumi is 0.9.0, >=1.2,<2 is needed: not used" in lines


def test_a_wrong_checksum_stops_instead_of_falling_back(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    bench.mirror.files[TOOL_PATH] = PROGRAM + b"# changed on the way\n"
    with pytest.raises(ToolError, match="does not have its published sha256"):
        bench.run()
    assert not (bench.layout.bin / "pulumi").exists()
    assert not list((bench.layout.cache / "tools" / "pulumi").iterdir())


def test_a_release_that_does_not_run_is_not_installed(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, b"\x7fELF of another machine")
    with pytest.raises(ToolError, match=r"pulumi from https://h/.* does not run here, 1.2.3 was expected"):
        bench.run()
    assert not list((bench.layout.cache / "tools" / "pulumi").iterdir())


@needs_go
def test_without_a_release_it_is_built(bench: Bench, lines: list[str]) -> None:
    assert bench.run()["pulumi"] == "built"
    assert bench.says() == "pulumi v1.2.3"
    assert bench.says("extra") == "extra v1.2.3"
    assert any("official releases can't be had here: " in line and "HTTP 404" in line for line in lines)
    assert any("building from the package registries" in line and "tiny about 1 min" in line for line in lines)


@needs_go
def test_what_is_changed_while_it_is_built_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a `git pull` beside it does."""
    compile_into = build.compile_into

    def changed(*arguments: Any) -> None:
        compile_into(*arguments)
        (bench.modules / "tiny" / "go.mod").write_text("module tiny\n\ngo 1.22\n")

    monkeypatch.setattr(build, "compile_into", changed)
    with pytest.raises(ToolError, match="pulumi: toolchain/go changed while it was built"):
        bench.run()


@needs_go
def test_what_is_built_serves_the_next_checkout_without_network(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    bench.mirror.requests.clear()
    bench.layout = replace(bench.layout, root=tmp_path / "second")
    assert bench.run()["pulumi"] == "built"
    assert TOOL_PATH + ".sha256" not in [path for path, _ in bench.mirror.requests]


def test_registries_only_asks_no_official_server(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    if shutil.which("go") is None:
        with pytest.raises(ToolError, match="there is no Go on PATH"):
            bench.run(KAFKA_HA_TOOLS="registries")
    else:
        assert bench.run(KAFKA_HA_TOOLS="registries")["pulumi"] == "built"
    assert not bench.mirror.requests


def test_official_only_builds_nothing(bench: Bench) -> None:
    with pytest.raises(
        ToolError, match=r"pulumi can't be had as official releases .*KAFKA_HA_TOOLS=official allows no"
    ):
        bench.run(KAFKA_HA_TOOLS="official")


def test_official_only_takes_no_stand_in(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    with pytest.raises(ToolError, match=r"the language host 1.2.3 can't be had officially"):
        bench.run(KAFKA_HA_TOOLS="official")


def test_an_unknown_way_is_refused(bench: Bench) -> None:
    with pytest.raises(ToolError, match=r"KAFKA_HA_TOOLS=all: not one of any, official, registries"):
        bench.run(KAFKA_HA_TOOLS="all")


def test_no_go_is_one_sentence(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"tiny can't be downloaded here and must be built, but there is no Go on PATH"):
        bench.run(PATH=str(tmp_path))


def test_an_official_plugin_goes_to_pulumis_own_folder(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    publish_plugin(bench.mirror)
    assert bench.run()["pulumi-resource-command"] == "official"
    program = bench.layout.pulumi_home / "plugins" / "resource-command-v4.5.6" / "pulumi-resource-command"
    assert program.read_bytes() == PROGRAM
    assert not (bench.layout.bin / "pulumi-resource-command").exists()


def test_an_installed_plugin_is_used_without_network(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    script(bench.layout.plugin("resource", "command", "4.5.6") / "pulumi-resource-command", "")
    assert bench.run()["pulumi-resource-command"] == "official"
    assert PLUGIN_PATH not in [path for path, _ in bench.mirror.requests]


def test_the_language_host_beside_the_command_is_used(bench: Bench, tmp_path: Path) -> None:
    script(tmp_path / "real" / "pulumi", "v1.9.0")
    script(tmp_path / "real" / "pulumi-language-python", "")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pulumi").symlink_to(tmp_path / "real" / "pulumi")
    found = bench.run(PATH=f"{tmp_path / 'mine'}:{CLEAN_PATH}")
    assert found["pulumi-language-python"] == "PATH"


def test_a_stand_in_goes_when_the_official_one_comes(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    assert bench.run()["pulumi-resource-command"] == "stand-in"
    launcher = bench.layout.own_home / "plugins" / "resource-command-v4.5.6" / "pulumi-resource-command"
    assert "from toolchain.standins.command.__main__ import main" in launcher.read_text()
    assert launcher.stat().st_mode & 0o111
    publish_plugin(bench.mirror)
    assert bench.run(refresh=True)["pulumi-resource-command"] == "official"
    assert not launcher.parent.exists()


def test_a_launcher_that_an_older_setup_left_on_path_goes(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    script(bench.layout.bin / "pulumi-resource-command", "")
    assert bench.run()["pulumi-resource-command"] == "stand-in"
    assert not (bench.layout.bin / "pulumi-resource-command").exists()
    assert (bench.layout.bin / "pulumi-language-python").exists()


def test_the_stand_ins_of_a_shells_path_are_not_the_users(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    bench.run()
    folders = [bench.layout.bin, bench.layout.standin("resource", "command", "4.5.6")]
    found = bench.run(PATH=os.pathsep.join([*map(str, folders), CLEAN_PATH]))
    assert found["pulumi-resource-command"] == found["pulumi-language-python"] == "stand-in"


def test_the_command_lies_beside_the_language_hosts_stand_in(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    bench.run()
    entry, cached = bench.layout.bin / "pulumi", bench.layout.tool("pulumi", "1.2.3", "official") / "bin" / "pulumi"
    assert not entry.is_symlink()
    assert entry.samefile(cached)
    bench.run()
    assert not entry.is_symlink()
    script(cached.with_name("pulumi.new"), "v1.2.3").replace(cached)
    bench.run()
    assert not entry.is_symlink()
    assert entry.samefile(cached), "of a new file in the cache, not of the old one"
    script(cached.with_name("pulumi-language-python"), "")
    bench.run()
    assert not (bench.layout.bin / "pulumi-language-python").exists()
    assert entry.resolve() == cached, "its language host lies beside that one"
    assert not [left for left in bench.layout.bin.iterdir() if left.name.startswith(".")]


def test_dynamic_resources_have_their_launcher_beside_the_command(bench: Bench) -> None:
    name = "pulumi-resource-pulumi-python"
    launcher = Plugin(name, "resource", "1.2.3", "dynamic", "the launcher", ("sim",), None, bundled=True)
    pins = replace(PINS, plugins={**PINS.plugins, name: launcher})
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    assert bench.run(pins)[name] == "stand-in"
    assert "from toolchain.standins.dynamic.__main__ import main" in (bench.layout.bin / name).read_text()
    cached = bench.layout.tool("pulumi", "1.2.3", "official") / "bin" / name
    script(cached, "")
    assert bench.run(pins)[name] == "official"
    assert not (bench.layout.bin / name).exists()


def test_a_cache_on_another_file_system_is_linked_to(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*places: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    bench.run()
    assert (bench.layout.bin / "pulumi").is_symlink()
    assert bench.says() == "v1.2.3"


def test_an_unreachable_host_is_remembered_until_refresh(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    bench.mirror.files[f"{PLUGIN_PATH}.sha256"] = b""
    bench.mirror.status[f"{PLUGIN_PATH}.sha256"] = 503
    assert bench.run()["pulumi-resource-command"] == "stand-in"
    asked = len(bench.mirror.requests)
    assert bench.run()["pulumi-resource-command"] == "stand-in"
    assert len(bench.mirror.requests) == asked
    bench.run(refresh=True)
    assert len(bench.mirror.requests) > asked


def test_the_record_tells_what_is_missing(bench: Bench) -> None:
    bench.mirror.publish(TOOL_PATH, PROGRAM)
    bench.run()
    record = chosen.read(bench.layout)
    assert chosen.missing(record, PINS, bench.layout, ["sim"]) == []
    assert [plugin.what for plugin in record.standins(PINS)] == ["the language host", "the command plugin"]
    (bench.layout.bin / "pulumi").unlink()
    assert chosen.missing(record, PINS, bench.layout, ["sim"]) == ["pulumi"]
    shutil.rmtree(bench.layout.cache / "tools")
    assert chosen.missing(record, PINS, bench.layout, ["sim"]) == ["pulumi"]
    table = {row.name: row.origin for row in doctor.rows(PINS, record, {}, bench.layout)}
    assert table == {
        "pulumi": "missing",
        "pulumi-language-python": "stand-in",
        "pulumi-resource-command": "stand-in",
    }


def test_a_broken_record_counts_as_none(bench: Bench) -> None:
    bench.layout.chosen.parent.mkdir(parents=True)
    bench.layout.chosen.write_text('{"inputs": "x", "entries": {"pulumi": {"bad": 1}}')
    assert chosen.read(bench.layout) == chosen.Chosen()


def test_build_names_what_it_can_build(bench: Bench) -> None:
    installer = Installer(PINS, bench.layout, bench.environ, bench.report, LINUX, modules=bench.modules)
    with pytest.raises(ToolError, match="nothing: no such build; there are tiny"):
        installer.build(["nothing"])
