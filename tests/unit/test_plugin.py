"""What the plugin offers to other languages; by the engine: tests/engine/test_yaml.py."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from components.kafka_settings import KafkaSettings
from components.plugin.offered import OFFERED
from components.plugin.schema import properties_of, schema
from tests.stack import ROOT

SCHEMA = schema("1.2.3")
RESOURCES = {name.rpartition(":")[2]: one for name, one in SCHEMA["resources"].items()}


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {value["$ref"]} if isinstance(value.get("$ref"), str) else set().union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_each_reference_has_its_type() -> None:
    there = {f"#/types/{name}" for name in SCHEMA["types"]} | {f"#/resources/{name}" for name in SCHEMA["resources"]}
    assert references(SCHEMA) - {"pulumi.json#/Any"} <= there
    assert {name for name in there if name.startswith("#/types/")} <= references(SCHEMA)


def test_all_settings_are_inputs_with_their_meaning() -> None:
    inputs = RESOURCES["KafkaCluster"]["inputProperties"]
    assert inputs.keys() == {field.alias for field in KafkaSettings.model_fields.values()} | {"cluster"}
    for one in RESOURCES.values():
        for name, kind in one["inputProperties"].items():
            assert kind["description"], name


@pytest.mark.parametrize(
    ("resource", "needed"),
    [
        ("ZonedCluster", ["kind"]),
        ("KafkaCluster", ["cluster"]),
        ("KafkaTopic", ["kafka", "name"]),
        ("KafkaUser", ["kafka", "name"]),
    ],
)
def test_what_has_no_default_is_needed(resource: str, needed: list[str]) -> None:
    assert RESOURCES[resource]["requiredInputs"] == needed
    assert set(RESOURCES[resource]["required"]) <= RESOURCES[resource]["properties"].keys()


def test_outputs_are_those_of_the_components() -> None:
    for name, offered in OFFERED.items():
        assert len(RESOURCES[name]["properties"]) == len(offered.outputs)
        for kind in RESOURCES[name]["properties"].values():
            assert kind["description"]


def test_kinds_of_clusters_mean_the_same_type_by_a_name() -> None:
    """Side by side they are the inputs of one resource."""
    types: dict[str, set[str]] = {}
    for model in OFFERED["ZonedCluster"].settings:
        for name, kind in properties_of((model,))[0].items():
            types.setdefault(name, set()).add(json.dumps({**kind, "description": ""}, sort_keys=True))
    assert {name for name, found in types.items() if len(found) > 1} == set()


def test_types_are_those_that_the_settings_take() -> None:
    """As written by hand for each kind of type."""
    inputs = RESOURCES["KafkaCluster"]["inputProperties"]
    kinds = {name: {key: value for key, value in inputs[name].items() if key != "description"} for name in inputs}
    text, whole = {"type": "string", "plain": True}, {"type": "integer", "plain": True}
    assert kinds["faultTolerance"] == kinds["brokers"] == whole
    assert kinds["image"] == kinds["terminationGracePeriod"] == text
    assert kinds["properties"] == {"type": "object", "additionalProperties": text, "plain": True}
    assert kinds["storage"] == {"$ref": "#/types/kafka-ha:index:Storage", "plain": True}
    assert kinds["protect"] == {"type": "boolean", "plain": True}
    tolerations = SCHEMA["types"]["kafka-ha:index:NodePool"]["properties"]["tolerations"]
    assert tolerations["items"] == {"$ref": "#/types/kafka-ha:index:Toleration"}


def test_a_process_that_constructs_nothing_knows_all_our_resources() -> None:
    asked = "import json; from components.plugin.server import PROVIDERS; print(json.dumps(sorted(PROVIDERS)))"
    told = json.loads(subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True).stdout)
    written = {
        name
        for file in (ROOT / "components").rglob("*.py")
        for name in re.findall(r'\(OwnResource, name="(\w+)"', file.read_text())
    }
    assert told == sorted(f"kafka-ha:live:{name}" for name in written)
    assert len(told) >= 6
