"""Stacks on simulated clusters, through the real engine."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.kwok import PROGRAMS
from tests.stack import Stack

eventually = retry(
    stop=stop_after_delay(60), wait=wait_fixed(0.5), retry=retry_if_exception_type(AssertionError), reraise=True
)
"""Decorates what is to hold within a minute."""
NEEDED = ("pulumi", "kubectl", *PROGRAMS)


@pytest.fixture(autouse=True, scope="session")
def tools() -> None:
    """Skips, in words, where `make setup` has not run."""
    if missing := [program for program in NEEDED if not shutil.which(program)]:
        pytest.skip(f"no simulated cluster: {', '.join(missing)} not on PATH; make setup gets them")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a stack and the simulated cluster that it makes."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def sim(folder: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack with a simulated cluster of its own; nothing is deployed until a test does so."""
    name = request.module.__name__.rpartition("_")[2]
    settings: dict[str, Any] = {
        "cluster": {"kind": "kwok", "name": f"engine-{name}", "nodesPerZone": 2},
        "topics": [{"name": "orders", "partitions": 6}],
    }
    stack = Stack.create(folder, name, settings, {"KWOK_WORKDIR": str(folder / "kwok")})
    yield stack
    if stack.exists:
        stack.destroy()


class Api:
    """The API of a stack's cluster; Any, since by its types every field of an answer may be None."""

    def __init__(self, kubeconfig: str) -> None:
        api = config.new_client_from_config_dict(yaml.safe_load(kubeconfig))
        self.core: Any = client.CoreV1Api(api)
        self.apps: Any = client.AppsV1Api(api)
        self.policy: Any = client.PolicyV1Api(api)

    def evict(self, pod: str, namespace: str = "kafka") -> None:
        """Raises ApiException 429 when a PodDisruptionBudget refuses."""
        body = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace=namespace))
        self.core.create_namespaced_pod_eviction(pod, namespace, body)

    def cordon(self, node: str, *, unschedulable: bool = True) -> None:
        """As `kubectl cordon` and `uncordon` do."""
        self.core.patch_node(node, {"spec": {"unschedulable": unschedulable}})

    def pods(self, namespace: str = "kafka") -> dict[str, Any]:
        """By name."""
        return {pod.metadata.name: pod for pod in self.core.list_namespaced_pod(namespace).items}

    @eventually
    def finds_no_node(self, pod: str) -> None:
        """The scheduler says that none of the six nodes takes the pod."""
        found = self.pods().get(pod)
        assert found is not None
        assert found.status.phase == "Pending"
        reasons = [
            condition.message or "" for condition in found.status.conditions or [] if condition.status == "False"
        ]
        assert any("0/6 nodes are available" in reason for reason in reasons), reasons


@pytest.fixture
def api(sim: Stack) -> Api:
    """The API of the module's stack, which is deployed."""
    return Api(sim.outputs()["kubeconfig"])


def set_kafka(stack: Stack, **settings: Any) -> None:
    """Replaces the settings of Kafka."""
    stack.change(lambda config: config.update(kafka=settings))


def set_topics(stack: Stack, *topics: dict[str, Any]) -> None:
    """Replaces the settings of the topics."""
    stack.change(lambda config: config.update(topics=list(topics)))
