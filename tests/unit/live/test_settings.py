"""The run-time settings: what is set, reset and told."""

from typing import Any

import pytest

from components.live.settings import SettingsProvider
from components.scripts.process import Refused
from tests.unit.live.conftest import Kafka, reach

ENTITY = "kafka-configs.sh --alter --entity-type brokers --entity-default"


def asked(**values: str) -> dict[str, Any]:
    return {"settings": {name.replace("_", "."): value for name, value in values.items()}, **reach()}


@pytest.mark.parametrize(
    ("found", "done"),
    [
        ({"num.io.threads": "9"}, []),
        ({}, [f"{ENTITY} --add-config num.io.threads=[9]"]),
        (
            {"num.io.threads": "4", "log.retention.ms": "1"},
            [f"{ENTITY} --add-config num.io.threads=[9] --delete-config log.retention.ms"],
        ),
        ({"num.io.threads": "9", "cordoned.log.dirs": "*"}, []),
    ],
)
def test_the_brokers_defaults_become_what_is_asked_for(kafka: Kafka, found: dict[str, str], done: list[str]) -> None:
    """Brokers that leave are cordoned: that is left alone."""
    kafka.settings = found
    SettingsProvider().create(asked(num_io_threads="9"))
    assert [" ".join(call) for call in kafka.done] == done


@pytest.mark.parametrize(("found", "done"), [("2", []), ("1", [f"{ENTITY} --add-config min.insync.replicas=[2]"])])
def test_the_minimum_isr_is_sent_only_when_it_changes(kafka: Kafka, found: str, done: list[str]) -> None:
    """Sent anew, even as it is, it forgets the eligible leader replicas (KIP-966)."""
    kafka.settings = {"min.insync.replicas": found}
    SettingsProvider().create(asked(min_insync_replicas="2"))
    assert [" ".join(call) for call in kafka.done] == done


def test_a_setting_that_is_removed_is_reset(kafka: Kafka) -> None:
    kafka.settings = {"num.io.threads": "9"}
    SettingsProvider().update("id", asked(num_io_threads="9"), asked())
    SettingsProvider().delete("id", asked(num_io_threads="9", min_insync_replicas="2"))
    assert [" ".join(call) for call in kafka.done] == [f"{ENTITY} --delete-config num.io.threads"] * 2


def test_nothing_set_is_nothing_to_reset(kafka: Kafka) -> None:
    SettingsProvider().create(asked())
    SettingsProvider().delete("id", asked())
    assert kafka.done == []


def test_drift_is_read_and_is_a_change(kafka: Kafka) -> None:
    provider = SettingsProvider()
    kafka.settings = {"log.cleaner.threads": "2"}
    found = provider.read("id", asked(num_io_threads="9")).outs
    assert found == asked(log_cleaner_threads="2")
    assert provider.diff("id", found, asked(num_io_threads="9")).changes is True
    assert provider.diff("id", found, asked(log_cleaner_threads="2")).changes is False


def test_what_kafka_refuses_is_told_in_a_sentence(kafka: Kafka) -> None:
    kafka.refusal = "Invalid value soon"
    with pytest.raises(Refused, match=r"^kafka-ha:kafka.properties: Kafka refuses it: Invalid value soon. Nothing was"):
        SettingsProvider().create(asked(log_retention_ms="soon"))
