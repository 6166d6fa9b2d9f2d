"""Which Kafka, and whether it may be drilled."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from components import manifests
from components.kafka_plan import plan_kafka
from components.kafka_settings import KafkaSettings
from drills import target
from drills.errors import Refused

KUBECONFIG = {"current-context": "k3d-dev", "contexts": [{"name": "k3d-dev"}, {"name": "production"}]}
NAMES = ["k3d-dev", "production"]
OUTPUTS = {
    "kubeconfig": yaml.safe_dump(KUBECONFIG),
    "bootstrap": "kafka-0.kafka.svc:9092",
    "clientProperties": "acks=all\n",
}


def pulumi(settings: Mapping[str, Any], outputs: Mapping[str, Any] = OUTPUTS) -> target.Pulumi:
    def run(*arguments: str) -> str:
        if arguments[0] == "config":
            return json.dumps({f"kafka-ha:{key}": {"objectValue": value} for key, value in settings.items()})
        assert arguments[:2] == ("stack", "output")
        return json.dumps(outputs)

    return run


K3D = {"cluster": {"kind": "k3d"}}
ALLOWED = K3D | {"drills": {"contexts": ["k3d-dev"]}}


def test_a_stack_that_names_its_context_may_be_drilled() -> None:
    place = target.from_stack("dev", pulumi(ALLOWED))
    assert (place.context, place.namespace, place.stack) == ("k3d-dev", "kafka", "dev")
    assert place.selector == "app.kubernetes.io/name=kafka,app.kubernetes.io/instance=kafka"
    assert place.bootstrap == OUTPUTS["bootstrap"]
    assert place.client_properties == "acks=all\n"


def test_names_come_from_the_stacks_settings() -> None:
    place = target.from_stack("dev", pulumi(ALLOWED | {"kafka": {"name": "events", "namespace": "streams"}}))
    assert (place.namespace, place.selector.rpartition("=")[2]) == ("streams", "events")


@pytest.mark.parametrize(
    ("settings", "outputs", "said"),
    [
        (K3D, OUTPUTS, ["kafka-ha:drills.contexts: got nothing", "k3d-dev is no drill target", "pulumi config set"]),
        (
            {"cluster": {"kind": "existing", "context": "production"}, "drills": {"contexts": ["k3d-dev"]}},
            OUTPUTS,
            ["got k3d-dev", "the context production is no drill target"],
        ),
        ({"cluster": {"kind": "kwok"}}, OUTPUTS, ["simulated"]),
        (ALLOWED, {}, ["no output kubeconfig", "make up STACK=dev"]),
    ],
)
def test_others_are_refused(settings: dict[str, Any], outputs: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(Refused) as refusal:
        target.from_stack("dev", pulumi(settings, outputs))
    for part in said:
        assert part in str(refusal.value)


def test_recovery_needs_no_drill_target() -> None:
    assert target.from_stack("prod", pulumi(K3D), drill=False).context == "k3d-dev"


def test_another_kafka_needs_its_contexts_name_twice() -> None:
    place = target.from_kubeconfig(NAMES, "production", ["production"], "kafka", "app=kafka")
    assert place.context == "production"


@pytest.mark.parametrize(
    ("context", "allowed", "said"),
    [
        ("production", [], "--allow-context: got nothing"),
        ("production", ["k3d-dev"], "--allow-context production"),
        ("producton", ["producton"], "but the kubeconfig has k3d-dev, production"),
    ],
)
def test_it_is_refused_otherwise(context: str, allowed: list[str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        target.from_kubeconfig(NAMES, context, allowed, "kafka", "app=kafka")


def own(**settings: Any) -> list[dict[str, Any]]:
    """The StatefulSets of this program."""
    plan = plan_kafka(KafkaSettings.model_validate(settings), ("a", "b", "c"), "test")
    return [manifests.stateful_set(plan, nodes) for nodes in plan.groups]


PLACE = target.Place(KUBECONFIG, "k3d-dev", "kafka", "app=kafka", bootstrap="b:9092")


def test_this_programs_kafka_is_found() -> None:
    found = target.find(PLACE, own())
    assert found.brokers == found.ids == (0, 1, 2)
    assert found.image.startswith("apache/kafka:")
    assert found.checker_image == KafkaSettings().checker_image
    assert found.pod_of(2) == "kafka-2"
    [nodes] = found.sets
    assert (nodes.broker, nodes.controller, nodes.container) == (True, True, "kafka")


def test_a_secured_kafka_is_reached_as_its_nodes_are() -> None:
    found = target.find(PLACE, own(security={}))
    assert (found.certificate, found.bootstrap) == ("kafka-tls", "b:9091")
    assert target.find(PLACE, own()).certificate is None


def test_dedicated_controllers_are_no_brokers() -> None:
    found = target.find(PLACE, own(dedicatedControllers={}))
    assert found.brokers == (0, 1, 2)
    controllers = next(one for one in found.sets if not one.broker)
    assert controllers.controller
    assert found.pod_of(controllers.first_id + 1) == f"{controllers.name}-1"
    assert found.set_of("kafka-1") is not controllers
    with pytest.raises(Refused, match="there is no node 7"):
        found.pod_of(7)


FOREIGN = {
    "metadata": {"name": "broker"},
    "spec": {
        "replicas": 2,
        "serviceName": "brokers",
        "selector": {"matchLabels": {"app": "kafka"}},
        "template": {"spec": {"containers": [{"name": "server", "image": "bitnami/kafka:4"}]}},
    },
}


def test_another_kafka_is_found_by_its_labels() -> None:
    found = target.find(target.Place(KUBECONFIG, "c", "ns", "app=kafka", first_id=1), [FOREIGN])
    assert found.brokers == (1, 2)
    assert found.bootstrap == "broker-0.brokers.ns.svc:9092,broker-1.brokers.ns.svc:9092"
    assert (found.checker_image, found.sets[0].container) == (None, "server")
    assert found.set_of("broker-0-x") is None


def test_no_kafka_there_is_refused() -> None:
    with pytest.raises(Refused, match="no StatefulSet in namespace kafka of context k3d-dev has these labels"):
        target.find(PLACE, [])
