"""The components under Pulumi's mocks: what they register, with what options, and that they refuse before they do."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from components.kafka_cluster import KafkaCluster
from components.kafka_settings import KafkaSettings, TopicSettings
from components.kafka_topic import KafkaTopic
from components.kinds import KINDS
from components.kinds.k3d import K3dSettings
from components.kinds.kwok import KwokSettings, objects
from components.refusal import UnsafeSettings
from components.scripts.k3d_cluster import K3d
from components.scripts.kwok_cluster import Kwok
from components.scripts.lifecycle import Found
from components.zoned_cluster import ZonedCluster

ZONES = ("zone-a", "zone-b", "zone-c")


class Recorder(mocks.Mocks):
    """Answers as the engine would, and remembers what was registered."""

    def __init__(self) -> None:
        self.registered: dict[str, mocks.MockResourceArgs] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.registered[args.name] = args
        outputs = {"stdout": '{"name": "orders"}'} if args.typ == "command:local:Command" else {}
        return f"{args.name}-id", {**args.inputs, **outputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """No local cluster exists, whatever this machine has."""
    for tool in (K3d, Kwok):
        monkeypatch.setattr(tool, "find", lambda self: None)


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder()
    mocks.set_mocks(recorder, project="kafka-ha", stack="unit", organization="organization")
    return recorder


def registered(recorder: Recorder, program: Callable[[], object]) -> dict[str, mocks.MockResourceArgs]:
    """What the program registers, by resource name."""

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> None:
        program()

    run()
    return recorder.registered


def test_a_kafka_cluster_is_its_manifests(recorder: Recorder) -> None:
    found = registered(recorder, lambda: KafkaCluster("kafka", KafkaSettings(), ZONES))
    assert {name: args.typ for name, args in found.items()} == {
        "kafka": "kafka-ha:index:KafkaCluster",
        "kafka-namespace": "kubernetes:core/v1:Namespace",
        "kafka-service": "kubernetes:core/v1:Service",
        "kafka-config": "kubernetes:core/v1:ConfigMap",
        "kafka-disruption-budget": "kubernetes:policy/v1:PodDisruptionBudget",
        "kafka-brokers": "kubernetes:apps/v1:StatefulSet",
    }
    assert found["kafka-brokers"].inputs["spec"]["replicas"] == 3
    assert found["kafka-disruption-budget"].inputs["spec"]["maxUnavailable"] == 1
    assert found["kafka"].inputs["settings"]["minInsyncReplicas"] == 2


@pytest.mark.parametrize(
    ("settings", "zones"),
    [
        (KafkaSettings(replication_factor=4), ZONES),
        (KafkaSettings(min_insync_replicas=1), ZONES),
        (KafkaSettings(), ("zone-a", "zone-b")),
        (KafkaSettings(brokers=5, controllers=4), ZONES),
    ],
)
def test_an_unsafe_kafka_cluster_registers_nothing(
    recorder: Recorder, settings: KafkaSettings, zones: tuple[str, ...]
) -> None:
    with pytest.raises(UnsafeSettings, match="the settings can't be deployed"):
        KafkaCluster("kafka", settings, zones)
    assert recorder.registered == {}


def test_an_unsafe_topic_registers_nothing(recorder: Recorder) -> None:
    def program() -> None:
        cluster = ZonedCluster("cluster", KwokSettings(kind="kwok"))
        kafka = KafkaCluster("kafka", KafkaSettings(), cluster.zones, cluster.placing())
        with pytest.raises(UnsafeSettings, match=r"kafka-ha:topics\[orders\].replicationFactor: got 2"):
            KafkaTopic("orders", TopicSettings(name="orders", replication_factor=2), kafka, cluster)

    assert not [name for name in registered(recorder, program) if name.startswith("orders")]


@pytest.mark.parametrize("settings", [KwokSettings(kind="kwok"), K3dSettings(kind="k3d", api_port=6550)])
def test_a_local_cluster_is_a_command_whose_output_is_the_kubeconfig(
    recorder: Recorder, settings: KwokSettings | K3dSettings
) -> None:
    found = registered(recorder, lambda: ZonedCluster("cluster", settings))
    command = found[f"cluster-{settings.kind}"].inputs
    assert command["create"] == f"python3 -m components.scripts.{settings.kind}_cluster create"
    spec = json.loads(command["environment"]["CLUSTER"])
    assert (spec["name"], spec["zones"], spec["owner"]) == (settings.name, list(ZONES), "organization.kafka-ha.unit")
    assert command["triggers"] == [spec["fingerprint"]]
    assert command["logging"] == "stderr", "the kubeconfig is never logged"
    provider = found["cluster-kubernetes"].inputs
    assert provider["clusterIdentifier"] == f"{settings.kind}-{settings.name}"
    assert json.loads(provider["enableConfigMapMutable"]) is True


def test_whatever_makes_another_cluster_changes_its_fingerprint(recorder: Recorder) -> None:
    variants = [
        K3dSettings(kind="k3d"),
        K3dSettings(kind="k3d", zones=("zone-a", "zone-b", "zone-d")),
        K3dSettings(kind="k3d", nodes_per_zone=2),
        K3dSettings(kind="k3d", image="rancher/k3s:v1.35.1-k3s1"),
        K3dSettings(kind="k3d", extra_args=("--servers-memory=2g",)),
    ]

    def program() -> None:
        for index, settings in enumerate(variants):
            ZonedCluster(f"cluster-{index}", settings)

    found = registered(recorder, program)
    fingerprints = {tuple(found[f"cluster-{index}-k3d"].inputs["triggers"]) for index in range(len(variants))}
    assert len(fingerprints) == len(variants)


def test_a_topic_is_planned_from_its_cluster(recorder: Recorder) -> None:
    topics: list[KafkaTopic] = []

    def program() -> None:
        cluster = ZonedCluster("cluster", KwokSettings(kind="kwok"))
        kafka = KafkaCluster("kafka", KafkaSettings(namespace="streams"), cluster.zones, cluster.placing())
        topics.append(KafkaTopic("orders", TopicSettings(name="orders", partitions=6), kafka, cluster))

    environment = registered(recorder, program)["orders-topic"].inputs["environment"]
    environment = environment["value"]  # secret as a whole, with the kubeconfig in it
    assert json.loads(environment["TOPIC"]) == {
        "name": "orders",
        "partitions": 6,
        "replication_factor": 3,
        "min_isr": 2,
        "config": {"min.insync.replicas": "2"},
        "allow_deletion": False,
    }
    assert (environment["NAMESPACE"], environment["SIMULATED"]) == ("streams", "yes")
    assert environment["BROKER_PODS"] == "kafka-0 kafka-1 kafka-2"


def test_every_kind_is_a_row_that_knows_its_name() -> None:
    for name, kind in KINDS.items():
        assert kind.settings.model_validate({"kind": name}).kind == name


def test_a_simulated_node_has_its_zone_and_its_volumes() -> None:
    found = objects(KwokSettings(kind="kwok", zones=("a", "b"), nodes_per_zone=2, volumes_per_node=3))
    nodes = {item["metadata"]["name"]: item for item in found if item["kind"] == "Node"}
    assert {name: node["metadata"]["labels"]["topology.kubernetes.io/zone"] for name, node in nodes.items()} == {
        "a-0": "a",
        "a-1": "a",
        "b-0": "b",
        "b-1": "b",
    }
    volumes = [item for item in found if item["kind"] == "PersistentVolume"]
    assert len(volumes) == 12
    terms = volumes[0]["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == ["a-0"]
    [storage_class] = [item for item in found if item["kind"] == "StorageClass"]
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"


@pytest.mark.parametrize(
    ("found", "shares_its_life"),
    [
        (None, True),
        (Found("organization.kafka-ha.unit", "any"), True),
        (Found(), False),
        (Found("somebody", "any"), False),
    ],
)
def test_what_is_on_an_adopted_cluster_is_deleted_by_itself(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, found: Found | None, shares_its_life: bool
) -> None:
    monkeypatch.setattr(K3d, "find", lambda tool: found)
    clusters: list[ZonedCluster] = []
    provider = registered(recorder, lambda: clusters.append(ZonedCluster("cluster", K3dSettings(kind="k3d"))))
    placing = clusters[0].placing()
    assert (placing.deleted_with is not None) is shares_its_life
    assert bool(placing.replace_with) is shares_its_life
    assert json.loads(provider["cluster-kubernetes"].inputs["upsertExistingObjects"]) is shares_its_life
