"""The review of a change: what the engine's events become, and a text that fits into a comment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchain import review
from toolchain.errors import ToolError

URN = "urn:pulumi:sim::kafka-ha::kafka-ha:index:KafkaCluster$kubernetes:core/v1:Service::kafka"
SERVICE = "kubernetes:core/v1:Service kafka"


def resource(op: str = "create", **inputs: Any) -> str:
    return json.dumps(
        {
            "resourcePreEvent": {
                "metadata": {
                    "op": op,
                    "urn": URN,
                    "type": URN.split("$")[1].partition("::")[0],
                    "new": {"inputs": inputs},
                }
            }
        }
    )


def policy(level: str, message: str) -> str:
    return json.dumps({"policyEvent": {"enforcementLevel": level, "message": message}})


def diagnostic(severity: str, message: str) -> str:
    return json.dumps({"diagnosticEvent": {"severity": severity, "message": message}})


def test_events_are_read() -> None:
    found = review.read_events(
        [
            resource(
                a=1,
                b={review.SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"},
                c=[review.UNKNOWN],
                __p="x",
            ),
            policy("mandatory", "Kafka must outlive …\nmin.insync.replicas:\n  got 1"),
            policy("mandatory", "Kafka must outlive …\nmin.insync.replicas:\n  got 1"),
            policy("advisory", "Could be safer\ngot PLAINTEXT"),
            policy("advisory", "Could be safer\nit is undecided: computed by the deployment"),
            diagnostic("warning", "the zones could not be checked"),
            diagnostic("info", "hello"),
        ]
    )
    assert found.objects == {SERVICE: {"a": 1, "b": "[secret]", "c": ["[known when deployed]"]}}
    assert found.refused == ("min.insync.replicas: got 1",)
    assert found.advice == ("got PLAINTEXT",)
    assert found.unjudged == ("the zones could not be checked", "it is undecided: computed by the deployment")
    assert found.fails
    assert not review.read_events([resource(a=1), policy("advisory", "Could be safer\ngot PLAINTEXT")]).fails
    assert review.read_events([diagnostic("error", "no")]).fails


def test_a_difference_is_that_of_inputs_line_by_line() -> None:
    old: review.Objects = {
        "a one": {"text": "x\ny\n", "c": 1},
        "a gone": {"b": 1},
    }
    new: review.Objects = {
        "a one": {"text": "x\nz\n", "c": 1},
        "a new": {"b": 1},
    }
    changes = review.difference(old, new).splitlines()
    assert changes.count("+b: 1") == changes.count("-b: 1") == 1
    assert {"-  y", "+  z", "+++ a one", "--- a gone", "+++ a new"} <= set(changes)
    assert review.difference(old, old) == ""


def test_a_text_fits_into_a_comment() -> None:
    whole = review.joined([("### `sim` passes\n", "+line\n" * 30_000), ("### `dev` passes\n", "")])
    assert len(whole) < 65_536
    assert "lines more: make review" in whole
    assert whole.count("`````") == 2
    assert "### `dev` passes" in whole


def test_kubernetes_objects_stand_on_one_line() -> None:
    assert review.kubernetes_list({"command x": {"create": "echo"}}) == ""
    text = review.kubernetes_list({SERVICE: {"apiVersion": "v1", "kind": "Service"}, "command x": {"create": "echo"}})
    assert text.count("\n") == 1
    assert [one["kind"] for one in yaml.safe_load(text)["items"]] == ["Service"]


@pytest.mark.parametrize("kind", ["kwok", "eks", "existing"])
def test_a_cluster_that_needs_credentials_is_left_out(kind: str) -> None:
    cluster = {"kind": kind, "zones": ["a", "b", "c"], "protect": True}
    given = yaml.safe_dump({"config": {"kafka-ha:cluster": cluster, "kafka-ha:kafka": {}}, "encryptionsalt": "v1:x"})
    settings, left_out = review.previewable(given)
    found = yaml.safe_load(settings)
    assert set(found) == {"config"}
    assert (found["config"]["kafka-ha:cluster"] == cluster) is (left_out is None) is (kind == "kwok")
    assert found["config"]["kafka-ha:cluster"]["zones"] == ["a", "b", "c"]


def test_a_commit_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="BASE=no-such"):
        review.review(tmp_path, "no-such", {})
