"""The components in a program in YAML, by the plugin: examples/yaml on a simulated cluster."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.engine.conftest import Api
from tests.engine.test_examples import example
from tests.stack import ROOT, PulumiFailed, Stack

PACK = ("--policy-pack", str(ROOT / "policies"))


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Nothing is deployed yet."""
    if not shutil.which("pulumi-language-yaml"):
        pytest.skip("no pulumi-language-yaml, which is part of Pulumi's release: make setup STACK=test gets it")
    home = tmp_path_factory.mktemp("yaml")
    (home / "state").mkdir()
    stack = example("yaml", home)
    try:
        yield stack
    finally:
        stack.destroy()


@pytest.fixture(scope="module")
def deployed(new: Stack) -> Stack:
    new.up()
    return new


def change(stack: Stack, resource: str, **properties: Any) -> None:
    file = stack.folder / "Pulumi.yaml"
    project = yaml.safe_load(file.read_text())
    project["resources"][resource]["properties"] |= properties
    file.write_text(yaml.safe_dump(project))


@pytest.mark.parametrize(
    ("resource", "properties", "told"),
    [
        ("kafka", {"minInsyncReplicas": 1}, "minInsyncReplicas: got 1"),
        ("kafka", {"brokers": "many"}, "brokers"),
        ("kafka", {"cluster": "elsewhere"}, "cluster"),
        ("orders", {"replicationFactor": 2}, r"orders\]?\.replicationFactor: got 2"),
        ("orders", {"name": "${cluster.kubeconfig}"}, "name.* known only after a deployment"),
        ("cluster", {"kind": "nomad"}, "kind.* allowed are kwok"),
    ],
)
def test_what_is_wrong_is_refused_in_words_before_anything_is_made(
    new: Stack, resource: str, properties: dict[str, Any], told: str
) -> None:
    file = new.folder / "Pulumi.yaml"
    before = file.read_text()
    change(new, resource, **properties)
    try:
        with pytest.raises(PulumiFailed, match=told) as refused:
            new.pulumi("preview")
    finally:
        file.write_text(before)
    assert "Traceback" not in str(refused.value)
    assert not re.search(r'File ".*", line', str(refused.value))


def test_a_preview_with_the_policy_pack_finds_nothing_wrong(new: Stack) -> None:
    assert "[mandatory]" not in new.pulumi("preview", *PACK)


def test_it_runs_and_stays(deployed: Stack) -> None:
    assert deployed.outputs()["bootstrap"].count(":9092") == 3
    assert deployed.outputs()["topic"] == "orders"
    assert len(Api(deployed.outputs()["kubeconfig"]).pods()) == 3
    deployed.up("--expect-no-changes")
    deployed.pulumi("refresh", "--yes", "--expect-no-changes")


def test_secrets_of_our_own_resources_are_secrets_of_the_state(deployed: Stack) -> None:
    resources = json.loads(deployed.pulumi("stack", "export"))["deployment"]["resources"]
    own = [one for one in resources if one["type"].startswith("kafka-ha:live:")]
    assert {one["type"] for one in own} >= {"kafka-ha:live:Topic", "kafka-ha:live:Settings"}
    for one in own:
        assert "ciphertext" in one["outputs"]["kubeconfig"]
        assert "ciphertext" in one["inputs"]["kubeconfig"]


def test_a_change_is_a_change_and_fewer_partitions_are_refused(deployed: Stack) -> None:
    change(deployed, "orders", partitions=12)
    assert "orders-topic" in deployed.up()
    change(deployed, "orders", partitions=6)
    with pytest.raises(PulumiFailed, match=r"got 6, but the topic has 12"):
        deployed.pulumi("preview")
    change(deployed, "orders", partitions=12)
