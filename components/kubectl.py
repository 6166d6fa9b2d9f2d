"""Questions to a running cluster, by kubectl: it knows every way of logging in that a kubeconfig can name."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from components.kafka_plan import HEALTH_PORT
from components.manifests import ZONE_LABEL
from components.prerequisites import Right

_SECONDS = 15


class KubectlError(Exception):
    """The cluster could not be asked; the message is one sentence."""


def get(kubeconfig: str, context: str | None, *arguments: str) -> list[dict[str, Any]]:
    """The items that `kubectl get ARGUMENTS` answers with. Raises KubectlError."""
    items: list[dict[str, Any]] = json.loads(_get(kubeconfig, context, *arguments, "--output=json"))["items"]
    return items


def status_of_node(kubeconfig: str, context: str | None, namespace: str, pod: str) -> dict[str, Any]:
    """What the checker beside a node of Kafka tells of it, through the API server. Raises KubectlError."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}:{HEALTH_PORT}/proxy/status"
    status: dict[str, Any] = json.loads(_get(kubeconfig, context, f"--raw={path}"))
    return status


def _get(kubeconfig: str, context: str | None, *arguments: str) -> str:
    return _run(kubeconfig, context, "get", *arguments)


def _run(
    kubeconfig: str, context: str | None, *arguments: str, stdin: str | None = None, seconds: int = _SECONDS
) -> str:
    program = shutil.which("kubectl")
    if program is None:
        raise KubectlError("kubectl is not on PATH.")
    with tempfile.NamedTemporaryFile("w", suffix=".kubeconfig") as file:
        file.write(kubeconfig)
        file.flush()
        command = [program, f"--kubeconfig={file.name}", f"--request-timeout={_SECONDS // 3}s", *arguments]
        if context:
            command.append(f"--context={context}")
        try:
            result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise KubectlError(f"no answer within {seconds} s.") from error
    if result.returncode:
        raise KubectlError(result.stderr.strip().splitlines()[-1] if result.stderr.strip() else "kubectl failed.")
    return result.stdout


def denied(kubeconfig: str, context: str | None, asked: Sequence[Right]) -> list[Right]:
    """Those of the rights that the kubeconfig's user has not. Raises KubectlError."""
    reviews = [_review(right) for right in asked]
    stdin = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    asking = "create", "--filename=-", "--output=json"
    answers = _documents(_run(kubeconfig, context, *asking, stdin=stdin, seconds=_SECONDS * 4))  # a request for each
    return [right for right, answer in zip(asked, answers, strict=True) if not answer["status"].get("allowed")]


def _review(right: Right) -> dict[str, Any]:
    attributes = {name: value for name, value in asdict(right).items() if value}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """JSON documents, one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while text := text[at:].lstrip():
        document, at = decoder.raw_decode(text)
        yield document


def nodes_by_zone(kubeconfig: str, context: str | None) -> dict[str, list[str]]:
    """The names of the nodes of each zone; nodes without a zone are left out."""
    zones: dict[str, list[str]] = {}
    for node, zone in _zone_of(get(kubeconfig, context, "nodes")).items():
        zones.setdefault(zone, []).append(node)
    return zones


def placement(
    kubeconfig: str, context: str | None, namespace: str, brokers: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """The zone and node of each broker that is placed, by the pod's name."""
    items = get(kubeconfig, context, "nodes,pods", f"--namespace={namespace}")
    zone_of = _zone_of(item for item in items if item["kind"] == "Node")
    node_of = {item["metadata"]["name"]: item["spec"].get("nodeName") for item in items if item["kind"] == "Pod"}
    return {
        broker: {"zone": zone_of.get(node, ""), "node": node} for broker in brokers if (node := node_of.get(broker))
    }


def _zone_of(nodes: Iterable[dict[str, Any]]) -> dict[str, str]:
    labelled = ((node["metadata"]["name"], node["metadata"].get("labels", {}).get(ZONE_LABEL)) for node in nodes)
    return {name: zone for name, zone in labelled if zone}
