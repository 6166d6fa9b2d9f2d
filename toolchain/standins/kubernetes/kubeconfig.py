"""A kubeconfig, given as a path or as its content: reading it and picking context, cluster and namespace."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from toolchain.standins.kubernetes.errors import PluginError


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig's content; `folder` is what its relative paths start from ("" for the working folder)."""

    content: Mapping[str, Any]
    folder: str = ""

    def named(self, section: str, entry: str, name: str) -> dict[str, Any] | None:
        """Return one entry (`cluster`, `context`, `user`) of a section (`clusters`, …) by its name."""
        for item in self.content.get(section) or []:
            if isinstance(item, Mapping) and item.get("name") == name:
                found = item.get(entry)
                return dict(found) if isinstance(found, Mapping) else {}
        return None

    def names(self, section: str) -> list[str]:
        """Return the names of a section's entries."""
        return [str(i.get("name")) for i in self.content.get(section) or [] if isinstance(i, Mapping)]

    def active_cluster(self, context: str = "", cluster: str = "") -> dict[str, Any] | None:
        """Return the cluster entry in force, None when context or cluster is not in the kubeconfig."""
        chosen = self.named("contexts", "context", context or str(self.content.get("current-context") or ""))
        if chosen is None:
            return None
        return self.named("clusters", "cluster", cluster or str(chosen.get("cluster") or ""))


def read_kubeconfig(path_or_content: str | Mapping[str, Any]) -> Kubeconfig:
    """Read a kubeconfig given as path (`~` allowed), YAML or JSON text, or object.

    Raises PluginError when it is none of these.
    """
    if isinstance(path_or_content, Mapping):
        return Kubeconfig(path_or_content)
    folder = ""
    written = path_or_content
    path = _existing(path_or_content)
    if path is not None:
        written, folder = path.read_text(), str(path.parent)
    try:
        content = json.loads(written) if written.lstrip().startswith("{") else _load_yaml(written)
    except (yaml.YAMLError, ValueError) as error:
        raise PluginError(f"the kubeconfig is neither YAML nor JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(content, Mapping):
        raise PluginError(
            f"kubeconfig {_shown(path_or_content)}: no such file, and not the content of a kubeconfig either; "
            "give a path that exists, or the content"
        )
    return Kubeconfig(content, folder)


def _load_yaml(written: str) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(written, Loader=loader)


def _existing(text: str) -> Path | None:
    if "\n" in text or len(text) > 4096:
        return None
    path = Path(text).expanduser()
    try:
        return path if path.is_file() else None
    except OSError:
        return None


def _shown(text: str) -> str:
    """Return a short form that shows no secret: a whole line at most, cut."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    return repr(first if len(first) <= 80 else f"{first[:40]}…")


def ambient_kubeconfig() -> Kubeconfig | None:
    """Return what KUBECONFIG (several paths allowed) or ~/.kube/config hold, None when there is nothing."""
    listed = [p for p in os.environ.get("KUBECONFIG", "").split(os.pathsep) if p]
    paths = [Path(p).expanduser() for p in listed] or [Path.home() / ".kube" / "config"]
    found = [read_kubeconfig(str(path)) for path in paths if path.is_file()]
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    # As kubectl: the first file to set a value wins; entries are joined.
    merged: dict[str, Any] = {}
    for config in found:
        for key, value in config.content.items():
            if isinstance(value, list):
                known = {i.get("name") for i in merged.get(key, [])}
                merged.setdefault(key, []).extend(i for i in value if i.get("name") not in known)
            elif value and not merged.get(key):
                merged[key] = value
    return Kubeconfig(merged, found[0].folder)
