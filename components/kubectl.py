"""Questions to a running cluster, by kubectl: it knows every way of logging in that a kubeconfig can name."""

import json
import shutil
import subprocess
import tempfile
from typing import Any

from components.manifests import ZONE_LABEL

_SECONDS = 15


class KubectlError(Exception):
    """The cluster could not be asked; the message is one sentence."""


def get(kubeconfig: str, context: str | None, *arguments: str) -> list[dict[str, Any]]:
    """The items that `kubectl get ARGUMENTS` answers with."""
    program = shutil.which("kubectl")
    if program is None:
        raise KubectlError("kubectl is not on PATH.")
    with tempfile.NamedTemporaryFile("w", suffix=".kubeconfig") as file:
        file.write(kubeconfig)
        file.flush()
        command = [
            program,
            f"--kubeconfig={file.name}",
            f"--request-timeout={_SECONDS // 3}s",
            "get",
            *arguments,
            "-o",
            "json",
        ]
        if context:
            command.append(f"--context={context}")
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise KubectlError(f"no answer within {_SECONDS} s.") from error
    if result.returncode:
        raise KubectlError(result.stderr.strip().splitlines()[-1] if result.stderr.strip() else "kubectl failed.")
    items: list[dict[str, Any]] = json.loads(result.stdout)["items"]
    return items


def nodes_by_zone(kubeconfig: str, context: str | None) -> dict[str, list[str]]:
    """The names of the nodes of each zone; nodes without a zone are left out."""
    zones: dict[str, list[str]] = {}
    for node in get(kubeconfig, context, "nodes"):
        if zone := node["metadata"].get("labels", {}).get(ZONE_LABEL):
            zones.setdefault(zone, []).append(node["metadata"]["name"])
    return zones


def placement(
    kubeconfig: str, context: str | None, namespace: str, brokers: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """The zone and node of each broker that is placed, by the pod's name."""
    zone_of = {node: zone for zone, nodes in nodes_by_zone(kubeconfig, context).items() for node in nodes}
    node_of = {
        pod["metadata"]["name"]: pod["spec"].get("nodeName")
        for pod in get(kubeconfig, context, "pods", f"--namespace={namespace}")
    }
    return {
        broker: {"zone": zone_of.get(node, ""), "node": node} for broker in brokers if (node := node_of.get(broker))
    }
