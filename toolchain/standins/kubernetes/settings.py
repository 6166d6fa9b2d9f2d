"""The provider's configuration: read, checked and compared; what the stand-in lacks is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from toolchain.standins.kubernetes.errors import PluginError, Unsupported
from toolchain.standins.kubernetes.kubeconfig import Kubeconfig, read_kubeconfig
from toolchain.standins.properties import Unknown, without_secrets

KNOWN: Final = frozenset(
    {
        "alwaysRender",
        "cluster",
        "clusterIdentifier",
        "context",
        "deleteUnreachable",
        "enableConfigMapMutable",
        "enablePatchForce",
        "enableSecretMutable",
        "enableServerSideApply",
        "helmReleaseSettings",
        "kubeClientSettings",
        "kubeconfig",
        "namespace",
        "renderYamlToDirectory",
        "skipUpdateUnreachable",
        "strictMode",
        "suppressDeprecationWarnings",
        "suppressHelmHookWarnings",
        "upsertExistingObjects",
    }
)
# What the engine adds by itself to a provider's inputs.
_ENGINE_KEYS: Final = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "parameterization"})


_REFUSED_ENVIRONMENT: Final = {
    "PULUMI_K8S_AWAIT_ALL": "true",
    "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY": "false",
}


@dataclass(frozen=True)
class Settings:
    """What the provider was told; "" and None mean not set."""

    kubeconfig: Kubeconfig | None = None
    kubeconfig_unknown: bool = False
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    timeout_seconds: float | None = None
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    patch_force: bool = False
    configmaps_mutable: bool = False
    secrets_mutable: bool = False
    upsert: bool = False
    suppress_helm_hook_warnings: bool = False


def failures(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with the provider's inputs: property and reason."""
    found = []
    for key, value in without_secrets(inputs).items():
        if key not in KNOWN and key not in _ENGINE_KEYS and not key.startswith("__"):
            found.append((key, f"unknown provider setting; allowed: {', '.join(sorted(KNOWN))}"))
        elif reason := _refused(key, value):
            found.append((key, reason))
    if _decoded(inputs.get("strictMode")) is True:
        found += [
            (key, f"strictMode is on and {key} is not set; set it")
            for key in ("kubeconfig", "context")
            if not inputs.get(key)
        ]
    return found


def _refused(key: str, value: Any) -> str:
    value = _decoded(value)
    unset = value in (None, "", False) or value == {}
    match key:
        case "renderYamlToDirectory" | "alwaysRender" | "helmReleaseSettings" if not unset:
            return str(Unsupported(f"provider setting {key}"))
        case "enableServerSideApply" if value is False:
            return str(Unsupported("enableServerSideApply=false (client-side apply)", "leave it out or true"))
        case "kubeClientSettings" if isinstance(value, Mapping):
            extra = [k for k, v in value.items() if k != "timeout" and v is not None]
            if extra:
                way_out = "leave it out: it does not limit its requests"
                return str(Unsupported(f"kubeClientSettings.{extra[0]}", way_out))
    return ""


def _decoded(value: Any) -> Any:
    """Return the value that the engine may have written as JSON text (`"true"`, `"{…}"`)."""
    if not isinstance(value, str):
        return value
    if value in ("true", "false"):
        return value == "true"
    if value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def read_settings(inputs: Mapping[str, Any]) -> Settings:
    """Return the settings that the engine configures the provider with; raises PluginError for a bad one."""
    plain = without_secrets(inputs)
    wrong = [f"{key}: {reason}" for key, reason in failures(plain)]
    for name, value in _REFUSED_ENVIRONMENT.items():
        if os.environ.get(name) == value:
            wrong.append(str(Unsupported(f"{name}={value}", "unset it")))
    if wrong:
        raise PluginError("; ".join(wrong))
    kubeconfig = plain.get("kubeconfig")
    client = _decoded(plain.get("kubeClientSettings"))
    timeout = client.get("timeout") if isinstance(client, Mapping) else None
    timeout = timeout if timeout is not None else os.environ.get("PULUMI_K8S_CLIENT_TIMEOUT")
    unknown = any(isinstance(plain.get(key), Unknown) for key in ("kubeconfig", "context", "cluster"))
    return Settings(
        kubeconfig=None if unknown or not kubeconfig else read_kubeconfig(kubeconfig),
        kubeconfig_unknown=unknown,
        context="" if unknown else plain.get("context") or "",
        cluster="" if unknown else plain.get("cluster") or "",
        namespace=_known_text(plain.get("namespace")),
        timeout_seconds=float(timeout) if timeout else None,
        delete_unreachable=_flag(plain, "deleteUnreachable", "DELETE_UNREACHABLE"),
        skip_update_unreachable=_flag(plain, "skipUpdateUnreachable", "SKIP_UPDATE_UNREACHABLE"),
        patch_force=_flag(plain, "enablePatchForce", "ENABLE_PATCH_FORCE"),
        configmaps_mutable=_flag(plain, "enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
        secrets_mutable=_flag(plain, "enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
        upsert=_flag(plain, "upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
        suppress_helm_hook_warnings=_flag(plain, "suppressHelmHookWarnings", "SUPPRESS_HELM_HOOK_WARNINGS"),
    )


def _known_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _flag(inputs: Mapping[str, Any], key: str, environment: str) -> bool:
    value = inputs.get(key)
    if value is None:
        value = os.environ.get(f"PULUMI_K8S_{environment}")
    return _decoded(value) is True


@dataclass(frozen=True)
class SettingsDiff:
    """Which provider settings changed, and which of them replace everything that the provider made."""

    changed: list[str]
    replaces: list[str]


def compare_settings(olds: Mapping[str, Any], news: Mapping[str, Any]) -> SettingsDiff:
    """Compare two configurations of the provider.

    With `clusterIdentifier` set before and now, it alone decides on replacement. Otherwise another active
    cluster (server, certificate…) in the kubeconfig replaces, and so does one that is not known yet.
    """
    old, new = without_secrets(olds), without_secrets(news)
    changed = [k for k in dict.fromkeys([*old, *new]) if _decoded(old.get(k)) != _decoded(new.get(k))]
    changed = [k for k in changed if not (old.get(k) in (None, "") and new.get(k) in (None, ""))]
    identifiers = old.get("clusterIdentifier"), new.get("clusterIdentifier")
    if identifiers[0] and identifiers[1]:
        return SettingsDiff(changed, ["clusterIdentifier"] if identifiers[0] != identifiers[1] else [])
    choosing = [k for k in ("kubeconfig", "context", "cluster") if k in changed]
    unknown = [k for k in choosing if isinstance(new.get(k), Unknown)]
    if unknown:
        return SettingsDiff(changed, unknown)
    before, after = _active_cluster(old), _active_cluster(new)
    moved = before is not None and after is not None and before != after
    return SettingsDiff(changed, choosing if moved else [])


def _active_cluster(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    kubeconfig = settings.get("kubeconfig")
    if not kubeconfig or isinstance(kubeconfig, Unknown):
        return None
    try:
        config = read_kubeconfig(kubeconfig)
    except PluginError:
        return None
    return config.active_cluster(settings.get("context") or "", settings.get("cluster") or "")
