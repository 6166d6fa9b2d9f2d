"""What is no broker is never judged, whatever it is called."""

from typing import Any

import pytest
import yaml

from policies.rules import Outcome
from tests.policies.manifests import HERE, base, clusters, verdicts

OTHERS = [one for path in sorted((HERE / "others").glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


@pytest.mark.parametrize("other", OTHERS, ids=lambda one: f"{one['kind']}/{one['metadata']['name']}")
def test_no_broker(other: dict[str, Any]) -> None:
    assert clusters([*OTHERS, other]) == []


def homemade(**container: Any) -> dict[str, Any]:
    """As the article's: an image of one's own, whose settings only its start script knows."""
    own = {"name": "kafka", "image": "doughgle/kafka-kraft:1", "ports": [{"containerPort": 9092}], **container}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "kafka", "namespace": "kafka"},
        "spec": {
            "replicas": 3,
            "template": {"spec": {"containers": [own]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
        },
    }


def test_an_image_whose_settings_are_not_known_is_told_as_undecided() -> None:
    found = verdicts([homemade(env=[{"name": "REPLICAS", "value": "3"}])])
    assert {one.outcome for one in found} == {Outcome.UNDECIDED}
    assert "how the image doughgle/kafka-kraft:1 takes its settings is not known here" in str(found[0])


@pytest.mark.parametrize(
    "other",
    [
        homemade(ports=[{"containerPort": 8080}]),
        homemade(image="acme/kafka-streams-orders:1"),
        homemade(image="acme/notkafkaesque:1"),
        homemade(args=["connect-distributed.sh"]),
        homemade() | {"kind": "Deployment"},
    ],
)
def test_what_only_looks_like_it_is_left_alone(other: dict[str, Any]) -> None:
    assert verdicts([other]) == []


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
