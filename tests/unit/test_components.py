"""The components under Pulumi's mocks: what they register, with what options, and that they refuse before they do."""

import json
from typing import Any, get_args

import pytest

from components.kafka_cluster import KafkaCluster
from components.kafka_settings import Controllers, KafkaSettings, Reassignment, TopicSettings
from components.kafka_topic import KafkaTopic
from components.kinds import KINDS
from components.kinds.k3d import K3dSettings
from components.kinds.kwok import KwokSettings, objects
from components.metrics_settings import Metrics
from components.quantities import parse_quantity
from components.refusal import UnsafeSettings
from components.scripts.k3d_cluster import K3d
from components.scripts.kwok_cluster import Kwok
from components.scripts.lifecycle import Found
from components.zoned_cluster import ZonedCluster
from tests.unit.mocks import Recorder, registered

ZONES = ("zone-a", "zone-b", "zone-c")
MONITORING = ("PodMonitor", "PrometheusRule")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder.installed()


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """No local cluster exists, whatever this machine has."""
    for tool in (K3d, Kwok):
        monkeypatch.setattr(tool, "find", lambda self: None)


def simulated(zones: tuple[str, ...] = ZONES) -> ZonedCluster:
    return ZonedCluster("cluster", KwokSettings(kind="kwok", zones=zones))


def deployed(recorder: Recorder, settings: KafkaSettings, *, labelled: bool = False) -> dict[str, str]:
    """The types of what a KafkaCluster registers, by name. `labelled`: whether pods know their zone."""

    def program() -> None:
        cluster = simulated()
        cluster.pods_know_their_zone = labelled
        KafkaCluster("kafka", settings, cluster)

    return {name: args.typ for name, args in registered(recorder, program).items() if name.startswith("kafka")}


def needed(recorder: Recorder, name: str) -> set[str]:
    """What a resource waits for before it is created, by name; the cluster itself left out."""
    return {urn.rpartition("::")[2] for urn in recorder.requests[name].dependencies} - {"cluster-kwok"}


OF_ALL = {
    "kafka": "kafka-ha:index:KafkaCluster",
    "kafka-namespace": "kubernetes:core/v1:Namespace",
    "kafka-account": "kubernetes:core/v1:ServiceAccount",
    "kafka-role": "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kafka-role-binding": "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kafka-checker": "kubernetes:core/v1:ConfigMap",
    "kafka-marks": "kubernetes:core/v1:ConfigMap",
    "kafka-client": "kubernetes:core/v1:ConfigMap",
    "kafka-service": "kubernetes:core/v1:Service",
    **{f"kafka-{ordinal}": "kubernetes:core/v1:Service" for ordinal in range(3)},
    "kafka-config": "kubernetes:core/v1:ConfigMap",
    "kafka-disruption-budget": "kubernetes:policy/v1:PodDisruptionBudget",
    "kafka-brokers": "kubernetes:apps/v1:StatefulSet",
    "kafka-image": "pulumi-python:dynamic/kafka-ha:Image",
    "kafka-settings": "pulumi-python:dynamic/kafka-ha:Settings",
    **dict.fromkeys(
        ("kafka-claims", "kafka-evacuation", "kafka-new-claims", "kafka-members", "kafka-rebalance"),
        "command:local:Command",
    ),
}
OF_CONTROLLERS = {
    "kafka-controller-service": "kubernetes:core/v1:Service",
    **{f"kafka-controller-{ordinal}": "kubernetes:core/v1:Service" for ordinal in range(5)},
    "kafka-controller-config": "kubernetes:core/v1:ConfigMap",
    "kafka-controller-disruption-budget": "kubernetes:policy/v1:PodDisruptionBudget",
    "kafka-controllers": "kubernetes:apps/v1:StatefulSet",
}
OF_ZONES = {
    "kafka-zones": "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
    "kafka-zones-binding": "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
}
TOLERANT = KafkaSettings(fault_tolerance=2, dedicated_controllers=Controllers())


def test_a_kafka_cluster_is_its_manifests(recorder: Recorder) -> None:
    assert deployed(recorder, KafkaSettings()) == OF_ALL | OF_ZONES
    found = recorder.registered
    assert found["kafka-brokers"].inputs["spec"]["replicas"] == 3
    assert found["kafka-disruption-budget"].inputs["spec"]["maxUnavailable"] == 1
    assert found["kafka"].inputs["settings"]["minInsyncReplicas"] == 2
    assert found["kafka-account"].inputs["automountServiceAccountToken"] is False
    assert found["kafka-role-binding"].inputs["roleRef"]["name"] == "kafka"


def test_the_right_to_read_nodes_is_asked_for_only_where_pods_do_not_know_their_zone(recorder: Recorder) -> None:
    assert deployed(recorder, KafkaSettings(), labelled=True) == OF_ALL


def test_dedicated_controllers_are_a_set_of_their_own(recorder: Recorder) -> None:
    fourth = {"kafka-3": "kubernetes:core/v1:Service"}
    assert deployed(recorder, TOLERANT) == OF_ALL | OF_ZONES | OF_CONTROLLERS | fourth
    found = recorder.registered
    replicas = {name: found[name].inputs["spec"]["replicas"] for name in ("kafka-controllers", "kafka-brokers")}
    assert replicas == {"kafka-controllers": 5, "kafka-brokers": 4}
    assert found["kafka-controllers"].inputs["metadata"]["name"] == "kafka-controller"


@pytest.mark.parametrize("operator", [False, True])
def test_alerts_and_dashboard_come_with_metrics_and_what_needs_crds_only_when_asked(
    recorder: Recorder, operator: bool
) -> None:
    told = {f"kafka-{what}": "kubernetes:core/v1:ConfigMap" for what in ("alerts", "dashboard")}
    if operator:
        told |= {f"kafka-{kind.lower()}": f"kubernetes:monitoring.coreos.com/v1:{kind}" for kind in MONITORING}
    metrics = Metrics(prometheus_operator=operator)
    assert deployed(recorder, KafkaSettings(metrics=metrics)) == OF_ALL | OF_ZONES | told
    if operator:
        inputs = recorder.registered["kafka-prometheusrule"].inputs
        assert (inputs["apiVersion"], inputs["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
        assert inputs["metadata"]["namespace"] == "kafka"
        assert [group["name"] for group in inputs["spec"]["groups"]] == ["kafka-kafka"]
    for name in told:
        assert needed(recorder, name) == {"kafka-namespace"}


def test_what_is_needed_is_there_first(recorder: Recorder) -> None:
    """Rights, files, budget and disks before the nodes, and the controllers before the brokers that look for them."""
    deployed(recorder, TOLERANT)
    objects = {name for name, kind in OF_ALL.items() if kind.startswith("kubernetes:")}
    of_all = {"kafka-account", "kafka-role", "kafka-role-binding", *OF_ZONES, "kafka-checker", "kafka-marks"}
    of_all |= {"kafka-namespace", "kafka-image", "kafka-claims", "kafka-evacuation"}
    own = OF_CONTROLLERS.keys() - {"kafka-controllers"}
    assert needed(recorder, "kafka-controllers") == of_all | own
    own = {"kafka-service", "kafka-config", "kafka-disruption-budget", "kafka-controllers"}
    own |= {f"kafka-{ordinal}" for ordinal in range(4)}
    assert needed(recorder, "kafka-brokers") == of_all | own
    for name in objects - {"kafka-namespace", "kafka-brokers"}:
        assert needed(recorder, name) == {"kafka-namespace"}
    assert needed(recorder, "kafka-evacuation") == {"kafka-namespace", "kafka-image"}, "nothing moves if refused"


def test_what_kafka_holds_itself_comes_when_all_nodes_are_as_asked_for(recorder: Recorder) -> None:
    deployed(recorder, KafkaSettings(metadata_version="4.3"))
    assert needed(recorder, "kafka-settings") == {"kafka-members"}
    last = {"kafka-members", "kafka-settings", "kafka-rebalance"}
    assert needed(recorder, "kafka-metadata-version") == last, "refused while replicas move: not all are in sync"
    assert recorder.requests["kafka-settings"].deletedWith.endswith("kafka-brokers")


def test_what_the_nodes_write_is_not_taken_for_drift(recorder: Recorder) -> None:
    deployed(recorder, TOLERANT)
    ignored = {name: list(request.ignoreChanges) for name, request in recorder.requests.items()}
    assert {name: paths for name, paths in ignored.items() if paths} == {
        "kafka-marks": ["data"],
        # Kubernetes changes no template: the claims themselves are grown.
        "kafka-brokers": ["spec.volumeClaimTemplates"],
        "kafka-controllers": ["spec.volumeClaimTemplates"],
    }


def test_the_outputs_name_brokers_alone(recorder: Recorder) -> None:
    clusters: list[KafkaCluster] = []
    registered(recorder, lambda: clusters.append(KafkaCluster("kafka", TOLERANT, simulated())))
    (kafka,) = clusters
    assert kafka.brokers == ("kafka-0", "kafka-1", "kafka-2", "kafka-3")
    assert kafka.tools["BROKER_PODS"] == "kafka-0 kafka-1 kafka-2 kafka-3"


@pytest.mark.parametrize(
    ("settings", "zones"),
    [
        (KafkaSettings(replication_factor=4), ZONES),
        (KafkaSettings(min_insync_replicas=1), ZONES),
        (KafkaSettings(), ("zone-a", "zone-b")),
        (KafkaSettings(brokers=4), ZONES),
        (KafkaSettings(dedicated_controllers=Controllers(), controllers=4), ZONES),
    ],
)
def test_an_unsafe_kafka_cluster_registers_nothing(
    recorder: Recorder, settings: KafkaSettings, zones: tuple[str, ...]
) -> None:
    def program() -> None:
        cluster = simulated(zones)
        with pytest.raises(UnsafeSettings, match="the settings can't be deployed"):
            KafkaCluster("kafka", settings, cluster)

    assert not [name for name in registered(recorder, program) if name.startswith("kafka")]


def test_an_unsafe_topic_registers_nothing(recorder: Recorder) -> None:
    def program() -> None:
        kafka = KafkaCluster("kafka", KafkaSettings(), simulated())
        with pytest.raises(UnsafeSettings, match=r"kafka-ha:topics\[orders\].replicationFactor: got 2"):
            KafkaTopic("orders", TopicSettings(name="orders", replication_factor=2), kafka)

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
    def program() -> None:
        settings = KafkaSettings(namespace="streams", reassignment=Reassignment(throttle=parse_quantity("2Mi")))
        KafkaTopic("orders", TopicSettings(name="orders", partitions=6), KafkaCluster("kafka", settings, simulated()))

    inputs = registered(recorder, program)["orders-topic"].inputs
    connection = inputs["connection"]
    assert (connection["NAMESPACE"], connection["BROKER_PODS"]) == ("streams", "kafka-0 kafka-1 kafka-2")
    assert {name: inputs[name] for name in inputs.keys() - {"connection", "kubeconfig", "cluster", "__provider"}} == {
        "name": "orders",
        "partitions": 6,
        "replicationFactor": 3,
        "config": {"min.insync.replicas": "2"},
        "allowDeletion": False,
        "throttle": 2 * 2**20,
    }
    assert needed(recorder, "orders-topic") == {"kafka-members"}


def test_every_kind_is_a_row_that_knows_its_name() -> None:
    for name, kind in KINDS.items():
        assert get_args(kind.settings.model_fields["kind"].annotation) == (name,)


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
    assert place_of(volumes[0]) == {"key": "kubernetes.io/hostname", "operator": "In", "values": ["a-0"]}
    [storage_class] = [item for item in found if item["kind"] == "StorageClass"]
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"


def place_of(volume: dict[str, Any]) -> Any:
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    (expression,) = term["matchExpressions"]
    return expression


def test_a_volume_of_a_zone_is_for_each_node_in_it() -> None:
    found = objects(KwokSettings(kind="kwok", zones=("a", "b"), volumes="zone"))
    places = [place_of(item) for item in found if item["kind"] == "PersistentVolume"]
    assert {place["key"] for place in places} == {"topology.kubernetes.io/zone"}
    assert {tuple(place["values"]) for place in places} == {("a",), ("b",)}


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
    for option in ("upsertExistingObjects", "deleteUnreachable"):
        assert json.loads(provider["cluster-kubernetes"].inputs[option]) is shares_its_life
