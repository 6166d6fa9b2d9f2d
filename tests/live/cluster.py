"""The cluster as the API server tells, and waiting for it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from kubernetes import client, config
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.live.process import CommandFailed, run

ZONE = "topology.kubernetes.io/zone"
_METADATA = """
import json
from checker.environment import Environment
found = Environment.read().own_connection(2).metadata().partitions
print(json.dumps([[one.topic, one.number, one.leader, one.replicas, one.isr] for one in found]))
"""


class Partition(NamedTuple):
    """A partition as a broker's metadata tells."""

    topic: str
    number: int
    leader: int
    replicas: list[int]
    isr: list[int]


def eventually(what: str, probe: Callable[[], bool], seconds: float = 180) -> None:
    """Waits until the probe holds. Fails with `what` after so many seconds."""
    try:
        Retrying(stop=stop_after_delay(seconds), wait=wait_fixed(1), retry=retry_if_result(lambda held: not held))(
            probe
        )
    except RetryError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None


def write_kubeconfig(file: Path, content: str) -> None:
    """A file that only its owner reads: there is a key in it."""
    file.touch(mode=0o600)
    file.write_text(content)


class Cluster:
    """The brokers' side of the Kubernetes API."""

    def __init__(self, kubeconfig: str, folder: Path, namespace: str, stateful_set: str) -> None:
        self._kubeconfig = folder / "kubeconfig"
        write_kubeconfig(self._kubeconfig, kubeconfig)
        api = config.new_client_from_config_dict(yaml.safe_load(kubeconfig))
        # Any: by its types every field of an answer may be None
        self.core: Any = client.CoreV1Api(api)
        self._apps: Any = client.AppsV1Api(api)
        self._policy: Any = client.PolicyV1Api(api)
        self.namespace, self._name = namespace, stateful_set

    def kubectl(self, *arguments: str, stdin: str | None = None, quiet: bool = False) -> str:
        """Standard output of kubectl on this cluster."""
        return run("kubectl", *arguments, stdin=stdin, env={"KUBECONFIG": str(self._kubeconfig)}, quiet=quiet)

    def stateful_set(self) -> Any:
        """The brokers' StatefulSet."""
        return self._apps.read_namespaced_stateful_set(self._name, self.namespace)

    def kafka_image(self) -> str:
        """The image of the brokers' Kafka."""
        image: str = self.stateful_set().spec.template.spec.containers[0].image
        return image

    def brokers(self) -> dict[str, Any]:
        """The brokers' pods by name."""
        selector = self.stateful_set().spec.selector.match_labels
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        pods = self.core.list_namespaced_pod(self.namespace, label_selector=labels).items
        return {pod.metadata.name: pod for pod in pods}

    def pending(self, broker: str) -> bool:
        """Whether the broker's pod waits for a node: one that has no pod, between two of them, does not yet."""
        pod = self.brokers().get(broker)
        return pod is not None and pod.status.phase == "Pending"

    def ready(self) -> set[str]:
        """Names of the brokers that are ready and not on their way out."""
        return {name for name, pod in self.brokers().items() if is_ready(pod)}

    def volume(self, pod: Any) -> str:
        """Name of the volume behind the broker's claim."""
        claim = next(v.persistent_volume_claim.claim_name for v in pod.spec.volumes if v.persistent_volume_claim)
        name: str = self.core.read_namespaced_persistent_volume_claim(claim, self.namespace).spec.volume_name
        return name

    def disk_id(self, broker: str, disk: str = "data") -> str:
        """The id that Kafka gave the broker's disk when it formatted it."""
        arguments = ["exec", broker, "-c", "kafka", "--", "cat", f"/var/lib/kafka/{disk}/kraft/meta.properties"]
        properties = self.kubectl("-n", self.namespace, *arguments).splitlines()
        return next(line for line in properties if line.startswith("directory.id="))

    def status(self, broker: str) -> dict[str, Any]:
        """What the broker's checker sees; empty where it does not answer."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{broker}:9094/proxy/status"
        try:
            found: dict[str, Any] = json.loads(self.kubectl("get", "--raw", path, quiet=True))
        except CommandFailed:
            return {}
        return found

    def partitions(self) -> list[Partition]:
        """All partitions as a broker that answers sees them; empty where none does. Much faster than Kafka's tools."""
        for broker in self.brokers():
            command = ["exec", broker, "-c", "checker", "--", "python3", "-c", _METADATA]
            try:
                out = self.kubectl("-n", self.namespace, *command, quiet=True)
            except CommandFailed:
                continue
            return [Partition(*one) for one in json.loads(out)]
        return []

    def leader(self, topic: str) -> str:
        """Name of the broker that leads the topic's first partition."""
        number = next(one.leader for one in self.partitions() if one.topic == topic and one.number == 0)
        return f"{self._name}-{number}"

    def quorum_leader(self) -> str:
        """Name of the node that leads the quorum, in combined mode."""
        return next(
            f"{self._name}-{leader}"
            for broker in self.brokers()
            if (leader := self.status(broker).get("leader")) is not None
        )

    def fully_replicated(self) -> bool:
        """Whether every replica of every partition is in sync."""
        partitions = self.partitions()
        return bool(partitions) and all(len(one.isr) == len(one.replicas) for one in partitions)

    def replace_disk(self, broker: str) -> None:
        """Deletes the broker's claim and the broker at once, as if its disk were gone."""
        claim = f"data-{broker}"
        self.core.delete_namespaced_persistent_volume_claim(claim, self.namespace)
        self.kill(broker)

    def replaced(self, broker: str, uid: str) -> bool:
        """Whether another pod has taken that one's place, and is ready."""
        return broker in self.ready() and self.brokers()[broker].metadata.uid != uid

    def kill(self, *brokers: str) -> None:
        """Deletes the pods with no grace: the processes are killed."""
        self.kubectl("-n", self.namespace, "delete", "pod", *brokers, "--grace-period=0", "--force")

    def zones(self) -> dict[str, str]:
        """The zone of each broker's node, by broker."""
        nodes = {node.metadata.name: node.metadata.labels.get(ZONE, "") for node in self.core.list_node().items}
        return {name: nodes[pod.spec.node_name] for name, pod in self.brokers().items() if pod.spec.node_name}

    def evict(self, pod: str) -> None:
        """Asks for an eviction. Raises ApiException 429 when a PodDisruptionBudget refuses it."""
        body = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace=self.namespace))
        self.core.create_namespaced_pod_eviction(pod, self.namespace, body)

    def disruptions_allowed(self) -> int:
        """How many evictions of brokers would be granted now."""
        budgets = self._policy.list_namespaced_pod_disruption_budget(self.namespace).items
        return min(int(budget.status.disruptions_allowed) for budget in budgets)


def is_ready(pod: Any) -> bool:
    """Whether a pod is ready and not being deleted."""
    conditions = {c.type: c.status for c in pod.status.conditions or []}
    return conditions.get("Ready") == "True" and pod.metadata.deletion_timestamp is None
