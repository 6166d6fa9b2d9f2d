"""The Kubernetes API, as far as drills need it. Objects are plain data, as the API writes them."""

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple

from kubernetes import client
from kubernetes.client import ApiException
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL, STDOUT_CHANNEL
from urllib3.exceptions import HTTPError
from websocket import ABNF, WebSocketException, WebSocketTimeoutException

from drills.errors import DrillError

Manifest = dict[str, Any]

TIMEOUT = (3.05, 30.0)
"""Seconds to connect, and to wait for an answer."""
_MERGE, _STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
_TOO_MANY, _NOT_FOUND = 429, 404
_INTERNAL = 500  # an eviction's answer too, when two budgets cover the pod
_STDOUT = bytes([STDOUT_CHANNEL])
# What the library raises when a connection breaks: there is no status then.
_CUT_OFF = (WebSocketException, OSError, TypeError, KeyError, AttributeError, ValueError)


class ApiFailed(DrillError):
    """The API server refused, or did not answer; `status` is 0 then."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ExecFailed(DrillError):
    """A command in a pod ended with an error, or could not be run there."""


class Answer(NamedTuple):
    """What was said to an eviction."""

    granted: bool
    message: str


class Kubernetes:
    """The API server of one cluster. Threads may share it. Every method raises ApiFailed."""

    def __init__(self, configuration: Any) -> None:
        self._configuration = configuration
        api = client.ApiClient(configuration)
        # Any: generated, and not read by mypy
        self.core: Any = client.CoreV1Api(api)
        self.apps: Any = client.AppsV1Api(api)
        self.policy: Any = client.PolicyV1Api(api)
        self.leases: Any = client.CoordinationV1Api(api)
        self._version: Any = client.VersionApi(api)
        self._plain: Callable[[Any], Any] = api.sanitize_for_serialization

    def call(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """The answer of one of the API's methods, as plain data."""
        try:
            return self._plain(method(*arguments, _request_timeout=TIMEOUT, **options))
        except ApiException as error:
            raise ApiFailed(_said(error), int(error.status or 0)) from None
        except (HTTPError, OSError) as error:
            raise ApiFailed(f"the API server of the cluster does not answer ({error}).") from None

    def version(self) -> str:
        """Of the API server, such as `v1.34.4`."""
        return str(self.call(self._version.get_code)["gitVersion"])

    def nodes(self) -> list[Manifest]:
        """All nodes."""
        return list(self.call(self.core.list_node)["items"])

    def pods_on(self, node: str) -> list[Manifest]:
        """The pods that are placed on a node."""
        listed = self.call(self.core.list_pod_for_all_namespaces, field_selector=f"spec.nodeName={node}")
        return list(listed["items"])

    def pods(self, namespace: str, labels: Mapping[str, str] | str) -> list[Manifest]:
        """The pods with these labels."""
        return list(self.call(self.core.list_namespaced_pod, namespace, label_selector=selector(labels))["items"])

    def pod(self, namespace: str, name: str) -> Manifest | None:
        """That pod; None when there is none."""
        return self._found(self.core.read_namespaced_pod, name, namespace)

    def stateful_sets(self, namespace: str, labels: str) -> list[Manifest]:
        """The StatefulSets with these labels."""
        listed = self.call(self.apps.list_namespaced_stateful_set, namespace, label_selector=labels)
        return list(listed["items"])

    def stateful_set(self, namespace: str, name: str) -> Manifest:
        """That StatefulSet."""
        return dict(self.call(self.apps.read_namespaced_stateful_set, name, namespace))

    def patch_template(self, namespace: str, name: str, template: Manifest) -> None:
        """Changes a StatefulSet's pod template, which rolls its pods."""
        body = {"spec": {"template": template}}
        self.call(self.apps.patch_namespaced_stateful_set, name, namespace, body, _content_type=_STRATEGIC)

    def create_pod(self, namespace: str, manifest: Manifest) -> None:
        """Creates a pod."""
        self.call(self.core.create_namespaced_pod, namespace, manifest)

    def create_config_map(self, namespace: str, manifest: Manifest) -> None:
        """Creates a ConfigMap."""
        self.call(self.core.create_namespaced_config_map, namespace, manifest)

    def delete_pod(self, namespace: str, name: str, grace_seconds: int | None = None) -> None:
        """Asks for its deletion; 0 kills it. One that is gone already is none to delete."""
        options = {} if grace_seconds is None else {"grace_period_seconds": grace_seconds}
        self._unless_gone(self.core.delete_namespaced_pod, name, namespace, **options)

    def delete_labelled(self, namespace: str, labels: Mapping[str, str]) -> None:
        """Deletes the pods and ConfigMaps with these labels."""
        asked = selector(labels)
        self.call(self.core.delete_collection_namespaced_pod, namespace, label_selector=asked, grace_period_seconds=0)
        self.call(self.core.delete_collection_namespaced_config_map, namespace, label_selector=asked)

    def evict(self, namespace: str, pod: str) -> Answer:
        """Asks for an eviction, as `kubectl drain` does (policy/v1). A pod that is gone needs none."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        try:
            self.call(self.core.create_namespaced_pod_eviction, pod, namespace, body)
        except ApiFailed as error:
            if error.status == _NOT_FOUND:
                return Answer(True, "it is gone already")
            if error.status in (_TOO_MANY, _INTERNAL):
                return Answer(False, str(error))
            raise
        return Answer(True, "")

    def cordon(self, node: str, unschedulable: bool) -> None:
        """Says whether new pods may be placed on a node."""
        self.call(self.core.patch_node, node, {"spec": {"unschedulable": unschedulable}}, _content_type=_MERGE)

    def delete_node(self, node: str) -> None:
        """Removes the node's object, as for a machine that is gone for good."""
        self._unless_gone(self.core.delete_node, node)

    def budgets(self, namespace: str) -> list[Manifest]:
        """The PodDisruptionBudgets."""
        return list(self.call(self.policy.list_namespaced_pod_disruption_budget, namespace)["items"])

    def claim(self, namespace: str, name: str) -> Manifest | None:
        """That PersistentVolumeClaim; None when there is none."""
        return self._found(self.core.read_namespaced_persistent_volume_claim, name, namespace)

    def delete_claim(self, namespace: str, name: str) -> None:
        """Deletes a PersistentVolumeClaim; it goes when no pod uses it."""
        self._unless_gone(self.core.delete_namespaced_persistent_volume_claim, name, namespace)

    def volume(self, name: str) -> Manifest | None:
        """That PersistentVolume; None when there is none."""
        return self._found(self.core.read_persistent_volume, name)

    def set_reclaim_policy(self, volume: str, policy: str) -> None:
        """`Retain` keeps what is on the volume when its claim goes."""
        body = {"spec": {"persistentVolumeReclaimPolicy": policy}}
        self.call(self.core.patch_persistent_volume, volume, body, _content_type=_MERGE)

    def delete_volume(self, name: str) -> None:
        """Deletes a PersistentVolume's object."""
        self._unless_gone(self.core.delete_persistent_volume, name)

    def open(self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool = False) -> Any:
        """A command's streams: a WSClient of the Kubernetes library. Raises ExecFailed."""
        # A client of its own: the library swaps the client's transport while it connects.
        core: Any = client.CoreV1Api(client.ApiClient(self._configuration))
        try:
            return stream(
                core.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                container=container,
                command=list(command),
                stdin=stdin,
                stdout=True,
                stderr=True,
                tty=False,
                _preload_content=False,
                _request_timeout=TIMEOUT[1],
            )
        except (ApiException, HTTPError, OSError) as error:
            raise ExecFailed(f"{command[0]} can't be run in {pod}/{container}: {_said(error)}") from None

    def output(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> Generator[bytes, None, None]:
        """Standard output of a command in a container, as it comes; nothing after each second of silence. Raises
        ExecFailed, WebSocketException and OSError.

        Frame by frame: the library's own `update` copies all that has come for each frame, minutes for some 10 MB.
        """
        channels = self.open(namespace, pod, container, command)
        channels.sock.settimeout(1)
        try:
            while True:
                try:
                    code, frame = channels.sock.recv_data_frame()
                except WebSocketTimeoutException:
                    yield b""
                    continue
                if code == ABNF.OPCODE_CLOSE:
                    return
                if frame.data[:1] == _STDOUT:
                    yield frame.data[1:]
        finally:
            channels.close()

    def exec(self, namespace: str, pod: str, container: str, *command: str, seconds: float = 60) -> str:
        """Standard output of a command in a container. Raises ExecFailed, with its standard error."""
        channels = self.open(namespace, pod, container, command)
        deadline = time.monotonic() + seconds
        try:
            while channels.is_open() and (left := deadline - time.monotonic()) > 0:
                channels.update(timeout=left)
            if channels.is_open():
                raise ExecFailed(f"{command[0]} in {pod}/{container} did not end within {seconds:.0f} s.")
            out, err = channels.read_stdout(), channels.read_stderr()
            status = json.loads(channels.read_channel(ERROR_CHANNEL))
            if status["status"] != "Success":  # the message has no exit code where the command was not even run
                raise ExecFailed(f"{command[0]} in {pod}/{container}: {(err or out).strip() or status['message']}")
        except _CUT_OFF as error:
            raise ExecFailed(f"{command[0]} in {pod}/{container} was cut off: {error}") from None
        finally:
            channels.close()
        return str(out)

    def _found(self, method: Callable[..., Any], *arguments: Any) -> Manifest | None:
        try:
            return dict(self.call(method, *arguments))
        except ApiFailed as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _unless_gone(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        try:
            self.call(method, *arguments, **options)
        except ApiFailed as error:
            if error.status != _NOT_FOUND:
                raise


def selector(labels: Mapping[str, str] | str) -> str:
    """Labels as the API asks for them."""
    return labels if isinstance(labels, str) else ",".join(f"{key}={value}" for key, value in labels.items())


def _said(error: Exception) -> str:
    """The API server's own sentence, where it gave one."""
    body = getattr(error, "body", None)
    if body:
        try:
            return str(json.loads(body)["message"])
        except (ValueError, KeyError, TypeError):
            pass
    return str(getattr(error, "reason", None) or error)
