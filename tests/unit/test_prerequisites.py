"""What is asked of a cluster that is there already, and how what it lacks is told."""

import json
from typing import Any

import pulumi
import pytest

from components import kubectl
from components.kafka_cluster import KafkaCluster
from components.kafka_settings import Controllers, KafkaSettings, NodePool, Storage, Toleration
from components.kinds import existing
from components.kinds.existing import ExistingSettings
from components.kubectl import KubectlError
from components.metrics_settings import Metrics
from components.prerequisites import Right, is_there, lacking, remarks, rights
from components.refusal import UnsafeSettings
from components.zoned_cluster import ZonedCluster
from tests.unit.mocks import Recorder, registered

ZONES = ("a", "b", "c")
KAFKA = KafkaSettings()
TAINT = {"key": "dedicated", "value": "kafka", "effect": "NoSchedule"}


def node(zone: str, *, ready: bool = True, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": f"{zone}-node", "labels": {"topology.kubernetes.io/zone": zone, **(labels or {})}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}]},
    }


def storage_class(name: str = "ssd", *, default: bool = True, since: str = "2026", **fields: Any) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    usual = {"volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": True}
    metadata = {"name": name, "annotations": annotations, "creationTimestamp": since}
    return {"kind": "StorageClass", "metadata": metadata, **usual, **fields}


def cluster(*more: dict[str, Any], c: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [node("a"), node("b"), c or node("c"), *(more or (storage_class(),))]


def pool(**toleration: Any) -> KafkaSettings:
    return KafkaSettings(node_pool=NodePool(tolerations=(Toleration(**toleration),)))


def test_a_cluster_that_has_all_lacks_nothing() -> None:
    assert lacking(KAFKA, ZONES, cluster()) == []
    assert remarks(KAFKA, ZONES, cluster()) == []


@pytest.mark.parametrize(
    ("c", "reason"),
    [
        (node("d"), "there is none"),
        (node("c", ready=False), "c-node is not ready"),
        (node("c", unschedulable=True), "c-node is cordoned"),
        (node("c", taints=[TAINT]), "c-node has the taint dedicated=kafka:NoSchedule"),
        (node("c", taints=[{"key": "gpu", "effect": "NoExecute"}]), "c-node has the taint gpu:NoExecute"),
    ],
)
def test_a_zone_whose_nodes_take_no_pod_is_told_with_the_reason(c: dict[str, Any], reason: str) -> None:
    (error,) = lacking(KAFKA, ZONES, cluster(c=c))
    assert error.startswith(f"kafka-ha:kafka.nodePool: in c no node takes Kafka's pods: {reason}. Make one ready there")


def test_labels_that_are_asked_for_are_looked_at() -> None:
    kafka = KafkaSettings(node_pool=NodePool(node_selector={"pool": "kafka"}))
    fit = [node(zone, labels={"pool": "kafka"}) for zone in ("a", "b")]
    (error,) = lacking(kafka, ZONES, [*fit, node("c", labels={"pool": "web"}), storage_class()])
    assert "c-node lacks the label pool=kafka" in error


@pytest.mark.parametrize(
    ("toleration", "borne"),
    [
        ({"key": "dedicated", "value": "kafka"}, True),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "dedicated", "value": "kafka", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "value": "kafka", "effect": "NoExecute"}, False),
        ({"key": "dedicated", "value": "web"}, False),
        ({"key": "dedicated"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_taint_is_borne_as_the_scheduler_decides(toleration: dict[str, Any], borne: bool) -> None:
    assert (lacking(pool(**toleration), ZONES, cluster(c=node("c", taints=[TAINT]))) == []) is borne


def test_a_taint_that_keeps_no_pod_away_is_none() -> None:
    soft = node("c", taints=[{**TAINT, "effect": "PreferNoSchedule"}])
    assert lacking(KAFKA, ZONES, cluster(c=soft)) == []


@pytest.mark.parametrize(
    ("storage", "classes", "message"),
    [
        (Storage(), [storage_class(default=False)], "storageClass: got nothing, but the cluster has no default class"),
        (Storage(storage_class="fast"), [storage_class()], "got fast, but there is no such class; there are: ssd. Set"),
        (Storage(storage_class="fast"), [node("a")], "got fast, but there is no such class; there are: none. Set"),
        (
            Storage(),
            [storage_class(volumeBindingMode="Immediate")],
            "but ssd makes a volume before its broker",
        ),
        (
            Storage(),
            [storage_class(since="2025"), storage_class("new", since="2026", volumeBindingMode="Immediate")],
            "but new makes a volume before",
        ),
    ],
)
def test_a_storage_class_that_does_not_serve_is_told(
    storage: Storage, classes: list[dict[str, Any]], message: str
) -> None:
    (error,) = lacking(KafkaSettings(storage=storage), ZONES, cluster(*classes))
    assert error.startswith("kafka-ha:kafka.storage.storageClass: got ")
    assert message in error


def test_that_of_dedicated_controllers_too() -> None:
    kafka = KafkaSettings(storage=Storage(storage_class="ssd"), dedicated_controllers=Controllers())
    (error,) = lacking(kafka, ZONES, cluster(storage_class(default=False)))
    assert error.startswith("kafka-ha:kafka.dedicatedControllers.storage.storageClass: got nothing")


def test_what_may_be_so_is_remarked() -> None:
    (remark,) = remarks(KAFKA, ZONES, cluster(storage_class(allowVolumeExpansion=False)))
    assert remark.startswith("kafka-ha:kafka.storage.size: the storage class ssd grows no volumes")
    crowded = remarks(KafkaSettings(brokers=5), ZONES, [*cluster(), node("a")])
    assert [remark.partition(":")[2].partition(":")[0] for remark in crowded] == ["kafka.brokers"] * 2
    assert "up to 2 brokers come to b, where 1 node takes them" in crowded[0]


def test_kafka_is_there_when_one_of_its_sets_is() -> None:
    assert not is_there(KAFKA, cluster())
    for name in ("kafka", "kafka-controller"):
        assert is_there(KAFKA, [{"kind": "StatefulSet", "metadata": {"name": name}}])
    assert not is_there(KAFKA, [{"kind": "StatefulSet", "metadata": {"name": "events"}}])


@pytest.mark.parametrize("settings", [KAFKA, KafkaSettings(metrics=Metrics(prometheus_operator=True))])
def test_the_rights_are_those_of_what_is_made(recorder: Recorder, settings: KafkaSettings) -> None:
    """Every type that the component registers is asked for, and nothing else is."""

    def kafka() -> None:
        of_kafka = ExistingSettings(kind="existing", zones=ZONES)
        KafkaCluster("kafka", settings, ZonedCluster("cluster", of_kafka))

    types = {args.typ for args in registered(recorder, kafka).values() if args.typ.startswith("kubernetes:")}
    made = {typ.rpartition(":")[2].lower() for typ in types}
    asked = {right.resource for right in rights(settings, pods_know_their_zone=False) if right.verb == "create"}
    assert {name.removesuffix("s") for name in asked - {"pods"}} == made
    assert "clusterroles" not in {right.resource for right in rights(settings, pods_know_their_zone=True)}


def test_rights_are_asked_for_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Right("create", "statefulsets", "apps", namespace="kafka"), Right("create", "pods", subresource="exec")]
    sent: list[Any] = []

    def run(kubeconfig: str, context: str | None, *arguments: str, stdin: str, seconds: int) -> str:
        sent.extend(json.loads(stdin)["items"])
        return '{"status": {"allowed": true}}\n{\n"status": {"allowed": false}}\n'

    monkeypatch.setattr(kubectl, "_run", run)
    assert [str(right) for right in kubectl.denied("", None, asked)] == ["create pods/exec"]
    attributes = {"verb": "create", "resource": "statefulsets", "group": "apps", "namespace": "kafka"}
    assert sent[0]["spec"]["resourceAttributes"] == attributes


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Recorder:
    """On a cluster that has all, unless a test says otherwise."""
    (tmp_path / "kubeconfig").touch()
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    answers(monkeypatch, cluster())
    return Recorder.installed()


def answers(
    monkeypatch: pytest.MonkeyPatch, found: list[dict[str, Any]] | KubectlError, lacked: tuple[Right, ...] = ()
) -> None:
    def get(*_: Any) -> list[dict[str, Any]]:
        if isinstance(found, KubectlError):
            raise found
        return found

    monkeypatch.setattr(existing, "nodes_by_zone", lambda *_: {zone: ["node"] for zone in ZONES})
    monkeypatch.setattr(existing, "get", get)
    monkeypatch.setattr(existing, "denied", lambda *_: list(lacked))


def outcome(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, *, preview: bool = False) -> tuple[str, list[str]]:
    """What a Kafka on the cluster is refused with, empty when it is not; and the warnings."""
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: preview)
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", told.append)
    refused: list[str] = []

    def program() -> None:
        zoned = ZonedCluster("cluster", ExistingSettings(kind="existing", zones=ZONES))
        try:
            KafkaCluster("kafka", KAFKA, zoned)
        except UnsafeSettings as error:
            refused.extend(error.errors)

    found = registered(recorder, program)
    assert bool(refused) is not any(name.startswith("kafka") for name in found), "nothing is made of what is refused"
    return "\n".join(refused), told


STATEFUL_SET = {"kind": "StatefulSet", "metadata": {"name": "kafka"}}
MISSING = (Right("create", "statefulsets", "apps", namespace="kafka"), Right("patch", "services", namespace="kafka"))


@pytest.mark.parametrize("preview", [True, False])
def test_a_kafka_that_cannot_be_had_is_refused_and_one_that_runs_is_told_of_it(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, preview: bool
) -> None:
    away = cluster(c=node("c", ready=False))
    answers(monkeypatch, away)
    refused, _ = outcome(recorder, monkeypatch, preview=preview)
    assert "in c no node takes Kafka's pods: c-node is not ready" in refused
    answers(monkeypatch, [*away, STATEFUL_SET])
    refused, told = outcome(Recorder.installed(), monkeypatch, preview=preview)
    assert refused == ""
    assert any("in c no node takes Kafka's pods" in sentence for sentence in told), "an outage holds up no cure"


def test_rights_are_needed_by_up_alone(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, cluster(), MISSING)
    sentence = (
        "kafka-ha:cluster.context: got the current one, but its user may not create statefulsets.apps, patch services. "
        "Grant it that, or name a context whose user may."
    )
    assert outcome(recorder, monkeypatch, preview=True) == ("", [sentence])
    assert outcome(Recorder.installed(), monkeypatch) == (sentence, [])


def test_a_cluster_that_stops_answering_is_an_error_of_up_alone(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, KubectlError("no answer within 15 s."))
    refused, told = outcome(recorder, monkeypatch, preview=True)
    assert (refused, len(told)) == ("", 1)
    refused, told = outcome(Recorder.installed(), monkeypatch)
    assert "nodes, storage and rights could not be checked" in refused
