"""The plugin's functions: decoding YAML; those that need helm or kustomize are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from toolchain.standins.kubernetes.errors import PluginError, Unsupported
from toolchain.standins.kubernetes.naming import Kind, kind_of_object
from toolchain.standins.kubernetes.objects import field, items, set_metadata


def invoke(token: str, args: Mapping[str, Any], namespaced: Callable[[Kind], bool]) -> dict[str, Any]:
    """Return what the function gives; raises Unsupported for what the stand-in lacks."""
    if token == "kubernetes:yaml:decode":
        text = args.get("text")
        if not isinstance(text, str):
            raise PluginError("kubernetes:yaml:decode: text must be a string")
        return {"result": decode(text, str(args.get("defaultNamespace") or ""), namespaced)}
    raise Unsupported(f"the function {token}")


def decode(text: str, namespace: str, namespaced: Callable[[Kind], bool]) -> list[dict[str, Any]]:
    """Return the objects in a YAML text, lists opened, the default namespace filled in.

    Raises PluginError for text that is not YAML or holds something else than objects.
    """
    try:
        documents = [d for d in yaml.safe_load_all(text) if d is not None]
    except yaml.YAMLError as error:
        raise PluginError(f"the text is not YAML: {str(error).splitlines()[0]}") from None
    found = []
    for document in documents:
        if not isinstance(document, dict):
            raise PluginError(f"the YAML holds a {type(document).__name__} where an object should be")
        kind = kind_of_object(document)
        parts = items(document, "items") if kind.name.endswith("List") and "items" in document else [document]
        for part in parts:
            if namespace and not field(part, "metadata", "namespace") and namespaced(kind_of_object(part)):
                set_metadata(part, "namespace", namespace)
            found.append(part)
    return found
