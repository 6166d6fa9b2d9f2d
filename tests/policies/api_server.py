"""A simulated cluster's real API server, asked what it says to objects."""

import base64
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml

from policies.admission.objects import EXPORTED, Export, objects

SECONDS = 30
CUSTOM = [("kafka.strimzi.io", "v1beta2", kind) for kind in ("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaConnect")]
CUSTOM += [("eventing.knative.dev", "v1", "Kafka")]
KINDS = {("apps/v1", "StatefulSet"), ("apps/v1", "Deployment"), ("batch/v1", "Job")}
KINDS |= {(f"{group}/{version}", kind) for group, version, kind in CUSTOM}


@dataclass(frozen=True)
class Answer:
    """What the API server says to an object: its status, why it refuses it, what it warns of."""

    status: int
    text: str
    warnings: tuple[str, ...] = ()

    @property
    def refused(self) -> set[str]:
        """The rules that it refuses the object for; the API server tells one."""
        return {rule for rule in EXPORTED if f": {rule}: " in self.text}

    @property
    def warned(self) -> set[str]:
        """The rules that it warns of."""
        return {rule for rule in EXPORTED for text in self.warnings if f": {rule}: " in text}

    @property
    def broken(self) -> list[str]:
        """Expressions that could not be evaluated."""
        return [text for text in (self.text, *self.warnings) if "resulted in error" in text]


class Server:
    """The API server of a simulated cluster. Objects are created there without being kept."""

    def __init__(self, kubeconfig: str, folder: Path) -> None:
        config = yaml.safe_load(kubeconfig)
        given = config["clusters"][0]["cluster"] | config["users"][0]["user"]
        files = {name: folder / name for name in given if name.endswith("-data")}
        for name, file in files.items():
            file.write_bytes(base64.b64decode(given[name]))
        context = ssl.create_default_context(cafile=str(files["certificate-authority-data"]))
        context.load_cert_chain(files["client-certificate-data"], files["client-key-data"])
        self.client = httpx.Client(base_url=given["server"], verify=context, timeout=SECONDS, trust_env=False)
        self._namespaces: set[str] = set()
        for group, version, kind in CUSTOM:
            self.put(_definition(group, version, kind))

    def put(self, one: dict[str, Any]) -> None:
        """Creates an object that has no namespace, or changes it to this."""
        answer = self.client.patch(
            f"{_path(one)}/{one['metadata']['name']}",
            params={"fieldManager": "test", "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            content=json.dumps(one),
        )
        assert answer.is_success, answer.text

    def ask(self, one: dict[str, Any]) -> Answer:
        """What the server says to creating an object."""
        namespace = one["metadata"].get("namespace", "default")
        if namespace not in self._namespaces:
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            self._namespaces.add(namespace)
        answer = self.client.post(_path(one, namespace), params={"dryRun": "All"}, json=one)
        told = tuple(answer.headers.get_list("warning"))
        return Answer(answer.status_code, "" if answer.is_success else answer.json()["message"], told)

    def install(self, export: Export) -> None:
        """Installs the policies, and waits until they are checked."""
        for one in objects(export):
            self.put(one)
        for one in objects(export):
            if one["kind"] == "ValidatingAdmissionPolicy":
                until(partial(self.checked, one), one["metadata"]["name"])

    def checked(self, one: dict[str, Any]) -> bool:
        """Whether a policy's types have been checked."""
        return "typeChecking" in self.status(one)

    def status(self, one: dict[str, Any]) -> dict[str, Any]:
        """An object's status, once it is that of the newest version; else empty."""
        got = self.client.get(f"{_path(one)}/{one['metadata']['name']}").json()
        status: dict[str, Any] = got.get("status", {})
        return status if status.get("observedGeneration") == got["metadata"]["generation"] else {}


def _path(one: dict[str, Any], namespace: str = "") -> str:
    version, kind = one["apiVersion"], one["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


def until(done: Callable[[], bool], what: str) -> None:
    """Waits until it is done; the test fails where that takes too long."""
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, f"{what}: not within {SECONDS} s"
        time.sleep(0.1)


def _definition(group: str, version: str, kind: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [served]},
    }
