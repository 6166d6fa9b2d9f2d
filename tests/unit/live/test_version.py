"""Kafka's version: which images pass before the roll, and what raises the metadata's version after it."""

from typing import Any

import pytest

from components.live.version import ImageProvider, MetadataVersionProvider
from components.scripts.process import Refused
from tests.unit.live.conftest import Kafka, reach

UPGRADE = [("kafka-features.sh", "upgrade", "--release-version", "4.3")]


def image(tag: str) -> dict[str, Any]:
    return {"image": f"apache/kafka:{tag}", **reach()}


def metadata(version: str) -> dict[str, Any]:
    return {"metadataVersion": version, "pods": ["kafka-0", "kafka-1"], **reach()}


@pytest.mark.parametrize(
    ("level", "tag"),
    [
        (29, "4.3.1"),
        (29, "4.2.0"),
        (30, "4.3.0"),
        (30, "5.0.0"),  # newer than this program knows: Kafka itself judges
        (30, "4.3.1-mirrored"),
        (30, "nightly"),
        (None, "4.0.0"),  # nothing answers: a new cluster, or one that another image may be the cure of
    ],
)
def test_images_that_pass(kafka: Kafka, level: int | None, tag: str) -> None:
    kafka.level = level
    ImageProvider().create(image(tag))
    assert ImageProvider().diff("id", image("4.3.2"), image(tag)).changes is True


def test_an_image_older_than_the_metadata_is_refused_before_the_roll(kafka: Kafka) -> None:
    provider, says = (
        ImageProvider(),
        r"kafka-ha:kafka.image: got apache/kafka:4.2.1, but .* version is 4.3",
    )
    with pytest.raises(Refused, match=says):
        provider.diff("id", image("4.3.1"), image("4.2.1"))  # in the preview
    with pytest.raises(Refused, match=says):
        provider.update("id", image("4.3.1"), image("4.2.1"))
    with pytest.raises(Refused, match=r"which Kafka 3.9 does not know"):
        provider.update("id", image("4.3.1"), image("3.9.0"))
    kafka.level = 29
    assert provider.update("id", image("4.3.1"), image("4.2.1")).outs == image("4.2.1")


def test_an_image_that_stays_asks_nothing(kafka: Kafka) -> None:
    assert ImageProvider().diff("id", image("4.3.1"), image("4.3.1")).changes is False
    assert ImageProvider().read("id", image("4.3.1")).outs == image("4.3.1")
    assert kafka.done == []


@pytest.mark.parametrize(("level", "done"), [(29, UPGRADE), (25, UPGRADE), (30, [])])
def test_the_version_is_raised_once(kafka: Kafka, level: int, done: list[tuple[str, ...]]) -> None:
    kafka.level = level
    MetadataVersionProvider().create(metadata("4.3"))
    assert kafka.done == done


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"unready": ["kafka-1"]}, "got 4.3, but not all nodes are in sync: kafka-1. Deploy again when they are."),
        (
            {"known": {"kafka-0": 29}},
            "got 4.3, but not all nodes know it: kafka-0. Set kafka-ha:kafka.image",
        ),
        ({"refusal": "Invalid update version"}, "got 4.3, but Kafka refuses it: Invalid update version."),
    ],
)
def test_and_not_before_all_nodes_are_in_sync_and_know_it(kafka: Kafka, state: dict[str, Any], says: str) -> None:
    kafka.level = 29
    for name, value in state.items():
        setattr(kafka, name, value)
    with pytest.raises(Refused, match=f"^kafka-ha:kafka.metadataVersion: {says}"):
        MetadataVersionProvider().create(metadata("4.3"))
    assert kafka.done == []


def test_a_lower_version_is_refused(kafka: Kafka) -> None:
    provider, says = MetadataVersionProvider(), r"got 4.2, but the cluster's metadata version is 4.3.*Set it to 4.3"
    [failure] = provider.check(metadata("4.3"), metadata("4.2")).failures
    assert failure.property == "metadataVersion"
    with pytest.raises(Refused, match=says):
        provider.create(metadata("4.2"))
    assert kafka.done == []
    assert provider.check(metadata("4.2"), metadata("4.3")).failures == []


def test_a_version_raised_by_hand_is_drift(kafka: Kafka) -> None:
    provider = MetadataVersionProvider()
    found = provider.read("id", metadata("4.2"))
    assert found.outs == metadata("4.3")
    assert provider.diff("id", found.outs or {}, metadata("4.2")).changes is True
    kafka.level = 28
    found = provider.read("id", metadata("4.3"))
    assert (found.outs or {})["metadataVersion"] == "level 28", "between two releases"
    assert provider.check(found.inputs or {}, metadata("4.3")).failures == []


def test_it_stays_when_it_is_no_longer_set(kafka: Kafka) -> None:
    MetadataVersionProvider().delete("id", metadata("4.3"))
    ImageProvider().delete("id", image("4.3.1"))
    assert kafka.done == []
