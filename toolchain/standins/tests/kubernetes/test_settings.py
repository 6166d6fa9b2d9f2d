"""Pure: the provider's configuration and kubeconfigs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchain.standins.kubernetes.errors import PluginError
from toolchain.standins.kubernetes.kubeconfig import ambient_kubeconfig, read_kubeconfig
from toolchain.standins.kubernetes.settings import compare_settings, failures, read_settings
from toolchain.standins.properties import UNKNOWN, Secret


def kubeconfig(server: str = "https://one:6443", token: str = "t", namespace: str = "") -> dict[str, Any]:
    return {
        "current-context": "main",
        "clusters": [
            {"name": "one", "cluster": {"server": server}},
            {"name": "two", "cluster": {"server": "https://two:6443"}},
        ],
        "contexts": [
            {"name": "main", "context": {"cluster": "one", "user": "me", "namespace": namespace}},
            {"name": "side", "context": {"cluster": "two", "user": "me"}},
        ],
        "users": [{"name": "me", "user": {"token": token}}],
    }


def test_kubeconfig_as_path_yaml_json_or_object(tmp_path: Path) -> None:
    content = kubeconfig()
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(content))
    for given in (str(path), yaml.safe_dump(content), json.dumps(content), content):
        assert read_kubeconfig(given).content == content
    assert read_kubeconfig(str(path)).folder == str(tmp_path)


def test_kubeconfig_that_is_neither() -> None:
    with pytest.raises(PluginError, match="'/no/such/file': no such file, and not the content of a kubeconfig"):
        read_kubeconfig("/no/such/file")
    with pytest.raises(PluginError, match="neither YAML nor JSON"):
        read_kubeconfig("a: [")


def test_ambient_kubeconfigs_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(yaml.safe_dump({"current-context": "", "clusters": [{"name": "a", "cluster": {}}]}))
    second.write_text(
        yaml.safe_dump({"current-context": "x", "clusters": [{"name": "a", "cluster": {"server": "s"}}, {"name": "b"}]})
    )
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}:{tmp_path / 'missing'}")
    joined = ambient_kubeconfig()
    assert joined is not None
    assert joined.content["current-context"] == "x"
    assert joined.names("clusters") == ["a", "b"]
    assert joined.named("clusters", "cluster", "a") == {}


@pytest.mark.parametrize(
    ("setting", "value", "part"),
    [
        ("renderYamlToDirectory", "out", "provider setting renderYamlToDirectory is not supported"),
        ("helmReleaseSettings", '{"driver":"secret"}', "provider setting helmReleaseSettings is not supported"),
        ("enableServerSideApply", "false", "leave it out or true"),
        ("kubeClientSettings", '{"burst":3}', "kubeClientSettings.burst is not supported"),
        ("kubeConfig", "x", "unknown provider setting; allowed: alwaysRender, cluster,"),
    ],
)
def test_refused_settings(setting: str, value: Any, part: str) -> None:
    [(named, reason)] = failures({setting: value})
    assert named == setting
    assert part in reason


def test_allowed_settings() -> None:
    assert failures({"kubeconfig": UNKNOWN, "enableServerSideApply": "true", "version": "4.34.2"}) == []
    assert failures({"renderYamlToDirectory": "", "kubeClientSettings": {"timeout": 5}}) == []


def test_strict_mode_wants_kubeconfig_and_context() -> None:
    assert [name for name, _ in failures({"strictMode": "true", "kubeconfig": "x"})] == ["context"]


def test_settings_are_read_with_secrets_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    settings = read_settings(
        {
            "kubeconfig": Secret(json.dumps(kubeconfig())),
            "enableConfigMapMutable": "true",
            "kubeClientSettings": '{"timeout":7}',
        }
    )
    assert settings.kubeconfig is not None
    assert settings.configmaps_mutable
    assert settings.delete_unreachable
    assert settings.timeout_seconds == 7


def test_unknown_kubeconfig() -> None:
    settings = read_settings({"kubeconfig": UNKNOWN, "context": "x"})
    assert settings.kubeconfig_unknown
    assert settings.kubeconfig is None


def test_another_server_replaces_another_token_does_not() -> None:
    old = {"kubeconfig": json.dumps(kubeconfig())}
    assert compare_settings(old, old).changed == []
    token = compare_settings(old, {"kubeconfig": json.dumps(kubeconfig(token="u"))})
    assert (token.changed, token.replaces) == (["kubeconfig"], [])
    moved = compare_settings(old, {"kubeconfig": json.dumps(kubeconfig("https://new:6443"))})
    assert moved.replaces == ["kubeconfig"]
    assert compare_settings(old, {**old, "context": "side"}).replaces == ["context"]
    assert compare_settings(old, {"kubeconfig": UNKNOWN}).replaces == ["kubeconfig"]


def test_cluster_identifier_alone_decides() -> None:
    old = {"kubeconfig": json.dumps(kubeconfig()), "clusterIdentifier": "a"}
    elsewhere = json.dumps(kubeconfig("https://new:6443"))
    same = compare_settings(old, {"kubeconfig": elsewhere, "clusterIdentifier": "a"})
    assert (same.changed, same.replaces) == (["kubeconfig"], [])
    assert compare_settings(old, {"kubeconfig": UNKNOWN, "clusterIdentifier": "a"}).replaces == []
    assert compare_settings(old, {**old, "clusterIdentifier": "b"}).replaces == ["clusterIdentifier"]
