"""What is no broker is never judged, whatever it is called; what is deployed by this project always is."""

from typing import Any

import pytest
import yaml

from components import manifests
from components.kafka_plan import plan_kafka
from components.kafka_settings import KafkaSettings
from policies.rules import Outcome, Severity, examine
from tests.policies.manifests import HERE, base, clusters, verdicts

OTHERS = [one for path in sorted((HERE / "others").glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


@pytest.mark.parametrize("other", OTHERS, ids=lambda one: f"{one['kind']}/{one['metadata']['name']}")
def test_no_broker(other: dict[str, Any]) -> None:
    assert clusters([*OTHERS, other]) == []


@pytest.mark.parametrize("name", ["official", "confluent", "bitnami", "own", "strimzi", "cfk", "redpanda"])
def test_others_change_no_verdict(name: str) -> None:
    assert {str(one) for one in verdicts(base(name) + OTHERS)} == {str(one) for one in verdicts(base(name))}


@pytest.mark.parametrize(
    ("chart", "undecided"),
    [
        ("oci://charts.example.com/bitnamicharts/kafka", True),
        ("kafka", True),
        ("redpanda", True),
        ("kafka-ui", False),
        ("strimzi-kafka-operator", False),
        ("postgresql", False),
    ],
)
def test_a_chart_that_helm_expands_is_undecided(chart: str, undecided: bool) -> None:
    release = {"apiVersion": "helm.sh/v3", "kind": "Release", "metadata": {"name": "a"}, "chart": chart}
    found = verdicts([release])
    assert {one.outcome for one in found} == ({Outcome.UNDECIDED} if undecided else set())


def program(**settings: Any) -> list[dict[str, Any]]:
    """The objects of this project's program."""
    plan = plan_kafka(KafkaSettings.model_validate(settings), ("a", "b", "c"), "test")
    return [
        {"apiVersion": "apps/v1", "kind": "StatefulSet", **manifests.stateful_set(plan)},
        {"apiVersion": "v1", "kind": "Service", **manifests.service(plan)},
        {"apiVersion": "v1", "kind": "ConfigMap", **manifests.config_map(plan)},
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", **manifests.disruption_budget(plan)},
    ]


def test_the_programs_own_objects_are_safe() -> None:
    (facts,) = clusters(program())
    found = examine(facts)
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
    assert facts.brokers.value == facts.voters.value == 3 if facts.voters else None


def test_the_program_is_read_as_it_is_set() -> None:
    (facts,) = clusters(program(brokers=5, controllers=5, replicationFactor=4, minInsyncReplicas=2, maxUnavailable=2))
    assert facts.default is not None
    assert (facts.default.factor.value, facts.default.min_isr and facts.default.min_isr.value) == (4, 2)
    (group,) = facts.groups
    assert group.budgets is not None
    assert [budget.allowed.value for budget in group.budgets.value or ()] == [2]
