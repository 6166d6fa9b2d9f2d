"""What a Secret of Kubernetes holds."""

import base64
from typing import Any


def held(core: Any, name: str, namespace: str) -> dict[str, str]:
    """By key, as text."""
    data = core.read_namespaced_secret(name, namespace).data
    return {key: base64.b64decode(value).decode() for key, value in data.items()}
