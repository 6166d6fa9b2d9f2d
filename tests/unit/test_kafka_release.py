"""What Kafka says of itself, and what follows from it: what rolls the brokers, and which versions are allowed."""

import json
import shutil
from typing import Any

import pytest
from pydantic import ValidationError

from components import manifests
from components.kafka_plan import plan_kafka
from components.kafka_release import METADATA_VERSIONS, RUN_TIME, at_run_time, level_of, split, version_at, version_of
from components.kafka_settings import MANAGED_PROPERTIES, KafkaSettings
from tests import kafka_release
from tests.local_kafka import JARS

ZONES = ("zone-a", "zone-b", "zone-c")


@pytest.mark.skipif(not JARS.is_dir() or not shutil.which("java"), reason="no jars of Kafka, or no Java: make testbed")
def test_the_file_is_what_kafkas_jars_say() -> None:
    assert kafka_release.FILE.read_text() == kafka_release.text(kafka_release.release(JARS)), (
        f"run python -m tests.kafka_release {JARS}"
    )


@pytest.mark.parametrize(
    ("name", "value", "live"),
    [
        ("log.retention.ms", "1000", True),
        ("log.retention.hours", "1", False),  # read-only
        ("ssl.keystore.location", "/x", False),  # in one broker at a time
        ("min.insync.replicas", "2", False),  # KIP-966
        ("listener.name.client.max.connections", "5", False),  # of one listener
        ("num.io.threads", "16", True),
        ("num.io.threads", "4", True),
        ("num.io.threads", "17", False),
        ("num.io.threads", "3", False),
        ("num.io.threads", "many", True),  # Kafka says what is wrong; a broker would not start
        ("log.cleaner.threads", "3", False),
    ],
)
def test_what_is_set_at_run_time(name: str, value: str, live: bool) -> None:
    assert at_run_time(name, value) is live
    assert split({name: value}) == (({}, {name: value}) if live else ({name: value}, {}))


def test_the_plans_own_settings_stay_in_the_file() -> None:
    plan = plan_kafka(KafkaSettings(), ZONES, "unit")
    names = {line.partition("=")[0] for line in plan.files(plan.brokers)["server.properties"].splitlines()}
    assert names & RUN_TIME <= set(MANAGED_PROPERTIES)


def rendered(**settings: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Checksum, pod template and configuration files."""
    plan = plan_kafka(KafkaSettings(**settings), ZONES, "unit")
    template = manifests.stateful_set(plan, plan.brokers)["spec"]["template"]
    return plan.checksum(plan.brokers), template, manifests.config_map(plan, plan.brokers)["data"]


def test_a_run_time_setting_rolls_no_node() -> None:
    assert rendered(properties={"log.retention.ms": 1, "num.io.threads": 16}) == rendered()
    rolled = rendered(properties={"num.io.threads": 32, "log.retention.hours": 1})
    assert rolled[0] != rendered()[0]
    assert "num.io.threads=32\n" in rolled[2]["server.properties"]


def test_a_metadata_version_rolls_no_node_and_reaches_a_new_one() -> None:
    checksum, template, files = rendered(metadata_version="4.3")
    assert (checksum, template) == rendered()[:2]
    assert files == rendered()[2] | {"metadata-version": "4.3"}
    variables = {variable["name"]: variable for variable in template["spec"]["containers"][0]["env"]}
    assert variables["METADATA_VERSION"]["valueFrom"]["configMapKeyRef"] == {
        "name": "kafka-config",
        "key": "metadata-version",
        "optional": True,
    }


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("apache/kafka:4.3.1", "4.3"),
        ("registry:5000/mirror/kafka:4.10.0-alpine@sha256:00", "4.10"),
        ("apache/kafka:v4.2", "4.2"),
        ("apache/kafka:4.2-rc1", "4.2"),
        ("apache/kafka:nightly-4", None),
        ("apache/kafka:4", None),
        ("apache/kafka@sha256:00", None),
    ],
)
def test_an_images_release(image: str, version: str | None) -> None:
    assert version_of(image) == version


@pytest.mark.parametrize(
    ("image", "level"),
    [("kafka:4.2.0", 29), ("kafka:3.9.0", 0), ("kafka:4.10.0", None), ("kafka:5.0", None), ("kafka:nightly", None)],
)
def test_an_images_metadata(image: str, level: int | None) -> None:
    assert level_of(image) == level


def test_levels_have_their_releases_names() -> None:
    assert {version_at(level): level for level in METADATA_VERSIONS.values()} == METADATA_VERSIONS
    assert version_at(28) == "level 28"
    assert list(METADATA_VERSIONS.values()) == sorted(METADATA_VERSIONS.values())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"metadataVersion": "4.9"}, "allowed are 4.0, 4.1, 4.2, 4.3"),
        ({"metadataVersion": 4.3}, "it must be in quotes: YAML takes it for a number"),
        ({"metadataVersion": "4.3", "image": "apache/kafka:4.2.0"}, "the image apache/kafka:4.2.0 does not know it"),
        ({"metadataVersion": "4.0", "image": "apache/kafka:3.9.0"}, "the image apache/kafka:3.9.0 does not know it"),
    ],
)
def test_a_metadata_version_that_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        KafkaSettings.model_validate(settings)
    [error] = [error for error in refusal.value.errors() if error["loc"] == ("metadataVersion",)]
    assert says in error["msg"]


@pytest.mark.parametrize("image", ["apache/kafka:4.3.1", "apache/kafka:5.0.0", "mirror/kafka@sha256:00"])
def test_a_metadata_version_that_the_image_may_know(image: str) -> None:
    assert KafkaSettings(metadata_version="4.2", image=image).metadata_version == "4.2"


def test_the_file_names_its_source() -> None:
    assert json.loads(kafka_release.FILE.read_text())["source"].startswith("Kafka 4.3.1")
