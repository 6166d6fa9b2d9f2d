"""This project's own manifests before the rules: where only some of the brokers vote, zones must hold no majority."""

import pytest

from components import manifests
from components.kafka_plan import plan_kafka
from components.settings import read_settings
from policies.manifest import Doc, Manifest, manifest
from policies.readers.program import COMPONENTS
from policies.reading import read
from policies.rules import examine
from policies.world import World

ZONES = ["zone-a", "zone-b", "zone-c"]


def refused(brokers: int, controllers: int) -> set[str]:
    """The rules of zones and hosts that refuse it."""
    resources = {"cpu": "1", "memory": "2Gi", "heap": "1Gi"}
    kafka = {"brokers": brokers, "controllers": controllers, "storage": {"size": "1Gi"}, "resources": resources}
    settings = read_settings({"cluster": {"kind": "existing", "zones": ZONES}, "kafka": kafka, "topics": []})
    plan = plan_kafka(settings.kafka, settings.cluster.zones, "test")
    objects = [
        manifest({"apiVersion": "apps/v1", "kind": "StatefulSet", **manifests.stateful_set(plan)}),
        manifest({"apiVersion": "v1", "kind": "Service", **manifests.service(plan)}),
        manifest({"apiVersion": "v1", "kind": "ConfigMap", **manifests.config_map(plan)}),
        manifest({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", **manifests.disruption_budget(plan)}),
    ]
    own = {"name": settings.kafka.name, "namespace": settings.kafka.namespace}
    objects.append(Manifest(COMPONENTS, "KafkaCluster", Doc({"settings": own, "zones": ZONES})))
    (facts,) = read(World(objects))
    return {verdict.rule for verdict in examine(facts)} & {"zone-majority", "zone-spread", "host-spread", "zones"}


@pytest.mark.parametrize(("brokers", "controllers"), [(5, 3), (9, 5)])
def test_where_some_vote_a_zone_may_hold_a_majority(brokers: int, controllers: int) -> None:
    assert refused(brokers, controllers) == {"zone-majority"}


@pytest.mark.parametrize("brokers", [3, 5])
def test_where_all_vote_none_does(brokers: int) -> None:
    assert refused(brokers, brokers) == set()
