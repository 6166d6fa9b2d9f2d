"""The pins agree with each other and with the committed Go modules and requirements."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.kinds.k3d import IMAGE as K3D_IMAGE
from toolchain import pins, requirements
from toolchain.errors import ToolError
from toolchain.layout import ROOT, Platform
from toolchain.sources import build, path

PINS = pins.load()
LINUX = Platform("linux", "amd64")


@pytest.mark.parametrize("tool", PINS.tools.values(), ids=lambda tool: tool.name)
def test_a_tool_is_complete(tool: pins.Tool) -> None:
    assert path.accepts(tool.accepts, tool.version)
    assert tool.name in PINS.builds[tool.build].programs
    assert set(tool.stacks) <= {*pins.STACKS, pins.TESTS}
    release = tool.release(LINUX)
    assert release is not None
    assert release.url.startswith("https://")
    assert release.checksums
    assert "{" not in release.url + "".join(release.checksums)


@pytest.mark.parametrize("plugin", PINS.plugins.values(), ids=lambda plugin: plugin.program)
def test_a_plugin_has_a_stand_in(plugin: pins.Plugin) -> None:
    assert (ROOT / "toolchain" / "standins" / plugin.standin).is_dir()
    assert (plugin.release(LINUX) is None) is plugin.bundled, "Pulumi's own release has the bundled ones"


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("pulumi", "github.com/pulumi/pulumi/pkg/v3 v{pulumi}"),
        ("kwok", "sigs.k8s.io/kwok v{kwok}"),
        ("k3d", "github.com/k3d-io/k3d/v5 v{k3d}"),
        ("kubenode", "k8s.io/kubernetes v{kubectl}"),
        ("kubenode", "go.etcd.io/etcd/server/v3 v{etcd}"),
    ],
)
def test_go_modules_have_the_pinned_versions(module: str, line: str) -> None:
    versions = {name: tool.version for name, tool in PINS.tools.items()}
    assert line.format(**versions) in (build.MODULES / module / "go.mod").read_text()


def test_plugins_have_the_versions_of_the_python_packages() -> None:
    text = (ROOT / "requirements.txt").read_text().lower().replace("-", "_")
    assert f"pulumi_kubernetes=={PINS.plugins['pulumi-resource-kubernetes'].version}" in text
    assert f"pulumi_command=={PINS.plugins['pulumi-resource-command'].version}" in text


def test_bundled_plugins_come_with_pulumis_release() -> None:
    pulumi = PINS.tools["pulumi"].release(LINUX)
    assert pulumi is not None
    for plugin in PINS.plugins.values():
        assert any(fnmatch(plugin.program, wanted) for wanted in pulumi.take) is plugin.bundled
        assert not plugin.bundled or plugin.version == PINS.tools["pulumi"].version


def test_k3d_starts_the_kubernetes_of_the_pins() -> None:
    image = f"rancher/k3s:v{PINS.tools['kubectl'].version}-k3s1"
    assert PINS.images["node"] == image
    assert f"-X github.com/k3d-io/k3d/v5/version.K3sVersion={image.split(':')[1]}" in PINS.builds["k3d"].ldflags
    for helper in ("tools", "proxy"):
        assert PINS.images[helper].endswith(f":{PINS.tools['k3d'].version}")


def test_sim_needs_no_k3d_and_prod_only_the_clients() -> None:
    assert "k3d" not in [tool.name for tool in PINS.tools_of("sim")]
    assert [tool.name for tool in PINS.tools_of("dev")] == ["k3d", "pulumi", "kubectl"]
    assert [tool.name for tool in PINS.tools_of("prod")] == ["pulumi", "kubectl"]


def test_builds_go_from_the_quickest_to_the_slowest() -> None:
    minutes = [each.minutes for each in PINS.builds.values()]
    assert minutes == sorted(minutes)


def test_a_system_without_releases_has_none() -> None:
    assert PINS.tools["kube-apiserver"].release(Platform("darwin", "arm64")) is None
    assert PINS.tools["pulumi"].release(Platform("linux", "riscv64")) is None


def test_an_unknown_build_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "toolchain" / "versions.toml").read_text().replace('build = "k3d"', 'build = "k4d"')
    (tmp_path / "versions.toml").write_text(text)
    known = "k3d, kwok, pulumi-yaml, prometheus, pulumi, kubenode"
    with pytest.raises(ToolError, match=rf"tool.k3d.build='k4d' is not one of: {known}"):
        pins.load(tmp_path / "versions.toml")


def test_requirements_are_what_the_environment_holds() -> None:
    for name, text in requirements.texts().items():
        assert (ROOT / name).read_text() == text, "run `python -m toolchain.requirements`"


def test_what_a_group_of_its_own_needs_is_pinned() -> None:
    """Also where it is not installed, so that nothing above compares it."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    others = {group: needs for group, needs in groups.items() if group != "dev"}
    assert others.keys() == {"audit", "docs", "eks", "gke", "aks"}
    for group, needs in others.items():
        head, *lines = (ROOT / f"requirements-{group}.txt").read_text().splitlines()
        assert head.startswith("# What ")
        pinned = {canonicalize_name(line.split("==")[0]) for line in lines}
        assert {canonicalize_name(Requirement(need).name) for need in needs} <= pinned


def test_the_nodes_image_is_the_one_that_the_program_starts() -> None:
    assert PINS.images["node"] == K3D_IMAGE
