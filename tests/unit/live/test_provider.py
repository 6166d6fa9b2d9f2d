"""What all dynamic resources share."""

import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from components.live.kafka import LiveKafka
from components.live.provider import Inputs, LiveProvider, tell_refusals_in_a_sentence
from components.live.settings import SettingsProvider
from components.live.topic import TopicProvider
from components.live.version import ImageProvider, MetadataVersionProvider
from components.scripts.process import Refused
from tests.unit.live.conftest import SIMULATED, Kafka, reach

PROVIDERS: list[tuple[LiveProvider, dict[str, Any]]] = [
    (
        TopicProvider(),
        {"name": "orders", "partitions": 1.0, "replicationFactor": 3.0, "config": {}, "allowDeletion": True},
    ),
    (SettingsProvider(), {"settings": {"num.io.threads": "4"}}),
    (ImageProvider(), {"image": "apache/kafka:4.3.1"}),
    (MetadataVersionProvider(), {"metadataVersion": "4.3", "pods": ["kafka-0"]}),
]
each = pytest.mark.parametrize(("provider", "props"), PROVIDERS, ids=lambda value: type(value).__name__)


class Thing(LiveProvider):
    """One field."""

    fields = ("size",)

    def refusals(self, olds: Inputs, news: Inputs) -> Iterator[tuple[str, str]]:
        if news["size"] < olds["size"]:
            yield "size", "it is smaller."

    def find(self, kafka: LiveKafka, props: Inputs) -> dict[str, Any] | None:
        return {"size": len(kafka.topics)}

    def apply(self, kafka: LiveKafka, news: Inputs) -> None:
        kafka.run("grow", str(news["size"]))


@each
def test_a_changed_connection_is_remembered_and_touches_nothing(
    kafka: Kafka, provider: LiveProvider, props: dict[str, Any]
) -> None:
    """Refreshes and deletions are given the state alone: it must not keep credentials that have ended."""
    olds, news = {**reach(), **props}, {**reach(kubeconfig="renewed"), **props}
    assert provider.diff("id", olds, olds).changes is False
    found = provider.diff("id", olds, news)
    assert (found.changes, found.replaces) == (True, [])
    updated = provider.update("id", olds, news)
    assert updated.outs == news
    assert kafka.reached == [], "no Kafka was asked"


@each
def test_a_simulated_cluster_only_remembers(kafka: Kafka, provider: LiveProvider, props: dict[str, Any]) -> None:
    asked = {**SIMULATED, **props}
    assert provider.create({**asked, "__provider": "…"}).outs == asked
    found = provider.read("id", {**asked, "__provider": "…"})
    assert (found.id, found.outs, found.inputs) == ("id", asked, asked)
    changed = {**asked, provider.fields[0]: {"another": "value"}}
    assert provider.update("id", asked, changed).outs == changed
    provider.delete("id", asked)
    assert kafka.reached == []


@each
def test_on_another_cluster_it_is_another_resource(provider: LiveProvider, props: dict[str, Any]) -> None:
    found = provider.diff("id", {**reach(), **props}, {**reach(cluster="k3d/other/kafka"), **props})
    assert (found.changes, found.replaces) == (True, ["cluster"])


@each
def test_the_state_holds_the_name_of_the_class_and_no_code(provider: LiveProvider, props: dict[str, Any]) -> None:
    from pulumi.dynamic.dynamic import serialize_provider

    assert len(serialize_provider(provider)) < 150
    assert provider.serialize_as_secret_always is False


def test_a_field_that_changes_is_applied_where_kafka_is_reached(kafka: Kafka) -> None:
    Thing().update("id", {**reach(), "size": 1}, {**reach(), "size": 2, "__provider": "…"})
    assert kafka.done == [("grow", "2")]
    assert kafka.reached == [{**reach()["connection"], "KUBECONFIG_CONTENT": "secret"}]


def test_what_the_inputs_tell_is_refused_by_its_field() -> None:
    [failure] = Thing().check({**reach(), "size": 2}, {**reach(), "size": 1}).failures
    assert (failure.property, failure.reason) == ("size", "it is smaller.")
    assert Thing().check({**reach(cluster="other"), "size": 2}, {**reach(), "size": 1}).failures == []


def test_a_refusal_is_answered_in_a_sentence_and_a_defect_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traceback, "format_exc", traceback.format_exc)  # to be put back
    tell_refusals_in_a_sentence()
    tell_refusals_in_a_sentence()
    answers = []
    for error in (Refused("kafka-ha:topics[a]: no."), ValueError("a defect")):
        try:
            raise error
        except Exception:
            answers.append(traceback.format_exc())
    assert answers[0] == "kafka-ha:topics[a]: no."
    assert answers[1].startswith("Traceback")
    assert answers[1].endswith("ValueError: a defect\n")
