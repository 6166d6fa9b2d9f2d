"""Storage under Pulumi's mocks: in what order the nodes and their claims are touched, and what is warned of."""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from components import disks, kubectl
from components.disks import filling, warn_of_filling_disks
from components.kafka_claims import FOUND
from components.kafka_cluster import KafkaCluster
from components.kafka_settings import KafkaSettings
from components.kinds.k3d import K3dSettings
from components.kubectl import KubectlError
from components.refusal import UnsafeSettings
from components.scripts.claims import CLASSES
from components.scripts.k3d_cluster import K3d
from components.zoned_cluster import ZonedCluster
from tests.unit.test_claims import GROWS, THREE, claim

logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # as language hosts do: a failed program leaves tasks behind


class Recorder(mocks.Mocks):
    """Answers as the engine would, and remembers what was registered, in its order."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.inputs[args.name] = args.inputs
        return f"{args.name}-id", {**args.inputs, "stdout": "the kubeconfig"}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


Objects = list[dict[str, Any]]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Objects:
    """What the cluster has beside its storage class."""
    objects: Objects = []

    def get(kubeconfig: str, context: str | None, kinds: str, *arguments: str) -> Objects:
        assert kubeconfig == "the kubeconfig"
        assert (kinds, arguments) in [(FOUND, ("--namespace=kafka",)), (CLASSES, ())]
        return objects if kinds == FOUND else GROWS

    monkeypatch.setattr(kubectl, "get", get)
    monkeypatch.setattr(K3d, "find", lambda self: None)
    return objects


def deploy(
    then: Callable[[KafkaCluster], object] = lambda kafka: None, recorder: Recorder | None = None, **settings: Any
) -> dict[str, Any]:
    """The inputs of what a Kafka registers, in the order in which it does."""
    recorder = recorder or Recorder()
    mocks.set_mocks(recorder, project="kafka-ha", stack="unit", organization="organization")

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> None:
        cluster = ZonedCluster("cluster", K3dSettings(kind="k3d"))
        then(KafkaCluster("kafka", KafkaSettings.model_validate(settings), cluster))

    program()
    return recorder.inputs


def in_order(names: Iterable[str], *wanted: str) -> bool:
    return [name for name in names if name in wanted] == list(wanted)


def test_claims_are_grown_before_the_nodes_are_rolled_and_new_ones_after(there: Objects) -> None:
    inputs = deploy(dedicatedControllers={}, storage={"size": "20Gi", "storageClass": "fast", "volumes": 2})
    sets = ("kafka-controllers", "kafka-brokers")
    assert in_order(inputs, "kafka-namespace", "kafka-claims", *sets, "kafka-new-claims")
    command = inputs["kafka-claims"]
    assert command["create"] == command["update"] == "python3 -m components.scripts.claims grow"
    environment = command["environment"]["value"]  # secret as a whole, with the kubeconfig in it
    assert environment == inputs["kafka-new-claims"]["environment"]["value"]
    assert (environment["NAMESPACE"], environment["SIMULATED"], environment["UNEVEN"]) == ("kafka", "", "")
    assert json.loads(environment["CLAIMS"]) == [
        {
            "path": "kafka-ha:kafka.dedicatedControllers.storage",
            "stateful_set": "kafka-controller",
            "replicas": 3,
            "templates": ["data"],
            "size": "5Gi",
            "storage_class": None,
        },
        {
            "path": "kafka-ha:kafka.storage",
            "stateful_set": "kafka",
            "replicas": 3,
            "templates": ["data", "data-1"],
            "size": "20Gi",
            "storage_class": "fast",
        },
    ]


def test_what_cannot_be_had_touches_nothing_in_the_namespace(there: Objects) -> None:
    there += THREE
    recorder = Recorder()
    with pytest.raises(UnsafeSettings, match=r"kafka-ha:kafka.storage.size: got 5Gi"):
        deploy(recorder=recorder, storage={"size": "5Gi"})
    assert "cluster-k3d" in recorder.inputs
    assert not {"kafka-namespace", "kafka-claims", "kafka-config", "kafka-brokers"} & set(recorder.inputs)


def test_a_claim_that_was_made_anew_has_the_commands_run(there: Objects) -> None:
    there += [*THREE[:2], claim("data-kafka-1", "20Gi")]
    environment = deploy(storage={"size": "20Gi"})["kafka-claims"]["environment"]["value"]
    assert environment["UNEVEN"] == "data-kafka-0"


def test_a_cluster_that_does_not_answer_is_left_to_the_commands(
    monkeypatch: pytest.MonkeyPatch, there: Objects
) -> None:
    def silent(*arguments: object) -> Objects:
        raise KubectlError("no answer within 15 s.")

    warnings: list[str] = []
    monkeypatch.setattr(kubectl, "get", silent)
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    assert in_order(deploy(), "kafka-claims", "kafka-brokers", "kafka-new-claims")
    assert warnings == ["kafka-ha:kafka.storage: the claims could not be compared with it: no answer within 15 s."]


def test_a_disk_that_fills_is_warned_of(monkeypatch: pytest.MonkeyPatch, there: Objects) -> None:
    statuses: dict[str, dict[str, Any]] = {
        "kafka-0": {"disks": {"/var/lib/kafka/data": 0.799, "/var/lib/kafka/data-1": 0.8}},
        "kafka-controller-1": {"disks": {"/var/lib/kafka/data": 0.97}},
        "kafka-1": {"unready": ["nothing has been seen yet"]},
    }

    def status_of_node(kubeconfig: str, context: str | None, namespace: str, pod: str) -> dict[str, Any]:
        if pod not in statuses:
            raise KubectlError("error trying to reach service: dial tcp 10.42.0.7:9094: connect: connection refused")
        return statuses[pod]

    warnings: list[str] = []
    monkeypatch.setattr(disks, "status_of_node", status_of_node)
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    deploy(warn_of_filling_disks, dedicatedControllers={})
    way_out = "or have topics keep less (retention.ms, retention.bytes): docs/storage.md."
    assert warnings == [
        "kafka-controller-1: /var/lib/kafka/data is 97% full, and at a full disk Kafka stops. Raise "
        f"kafka-ha:kafka.dedicatedControllers.storage.size, {way_out}",
        "kafka-0: /var/lib/kafka/data-1 is 80% full, and at a full disk Kafka stops. Raise "
        f"kafka-ha:kafka.storage.size, {way_out}",
    ]


def test_a_node_that_tells_of_no_disk_fills_none() -> None:
    assert filling("kafka-0", "kafka-ha:kafka.storage.size", {}) == []
