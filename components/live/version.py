"""Kafka's version, in two resources around the roll of the nodes: the image before it, the metadata's version after.

A node starts only on metadata that its software knows, and the metadata's version can hardly be lowered. So a new image
rolls with the version as it is, which leaves the way back open, and the version is raised last (KIP-584; Kafka
documentation, "Upgrading"). An image that does not know the version that holds is refused before any node is stopped.
"""

from collections.abc import Iterator
from typing import Any

from pulumi.dynamic import DiffResult

from components.kafka_release import METADATA_VERSIONS, level_of, version_at, version_of
from components.live.kafka import LiveKafka, forget
from components.live.provider import Inputs, LiveProvider, kafka_of, simulated
from components.own_resource import OwnResource
from components.scripts.kafka_tools import KafkaRefused
from components.scripts.process import Refused

_METADATA = "kafka-ha:kafka.metadataVersion"


class ImageProvider(LiveProvider):
    """Lets a new image pass, or refuses it; the StatefulSets come after it."""

    fields = ("image",)

    def find(self, kafka: LiveKafka, props: Inputs) -> dict[str, Any]:
        """Nothing: the StatefulSets hold it."""
        return {}

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Refuses in the preview already."""
        if olds["image"] != news["image"] and not simulated(news):
            self.apply(kafka_of(olds), news)
        return super().diff(id_, olds, news)

    def apply(self, kafka: LiveKafka, news: Inputs) -> None:
        """Raises Refused where the image is older than the metadata."""
        try:
            level = kafka.metadata_level
        except Refused:
            forget()  # none runs yet, or none that answers, which this image may be the cure of
            return
        image = news["image"]
        known = level_of(image)
        if known is not None and known < level:
            raise Refused(
                f"kafka-ha:kafka.image: got {image}, but the cluster's metadata version is {version_at(level)}, which "
                f"Kafka {version_of(image)} does not know: no node would start. Set an image of Kafka "
                f"{version_at(level)} or later. (docs/operations.md, Downgrades)"
            )


class MetadataVersionProvider(LiveProvider):
    """Raises the metadata's version, and that of every feature that goes with the release, once all nodes know it. It
    stays when it is no longer set.
    """

    fields = ("metadataVersion",)

    def refusals(self, olds: Inputs, news: Inputs) -> Iterator[tuple[str, str]]:
        """A lower version."""
        level = METADATA_VERSIONS.get(olds["metadataVersion"], 0)
        if METADATA_VERSIONS[news["metadataVersion"]] < level:
            yield "metadataVersion", lowered(news["metadataVersion"], level)

    def find(self, kafka: LiveKafka, props: Inputs) -> dict[str, Any]:
        """The version that holds."""
        return {"metadataVersion": version_at(kafka.metadata_level)}

    def apply(self, kafka: LiveKafka, news: Inputs) -> None:
        """Raises the version, when every node is in sync and knows it."""
        version, level, pods = news["metadataVersion"], kafka.metadata_level, news["pods"]
        wanted = METADATA_VERSIONS[version]
        if wanted < level:
            raise Refused(lowered(version, level))
        if wanted == level:
            return
        if unready := kafka.unready(pods):
            raise Refused(
                f"{_METADATA}: got {version}, but not all nodes are in sync: {', '.join(unready)}. Deploy again when "
                "they are."
            )
        if old := [pod for pod, known in kafka.known_levels(pods).items() if known < wanted]:
            raise Refused(
                f"{_METADATA}: got {version}, but not all nodes know it: {', '.join(old)}. Set kafka-ha:kafka.image to "
                f"one of Kafka {version} or later."
            )
        try:
            kafka.run("kafka-features.sh", "upgrade", "--release-version", version)
        except KafkaRefused as error:
            raise Refused(f"{_METADATA}: got {version}, but Kafka refuses it: {error}.") from error


def lowered(version: str, level: int) -> str:
    """Why a lower version is refused."""
    return (
        f"{_METADATA}: got {version}, but the cluster's metadata version is {version_at(level)}, and it is not lowered "
        "here: Kafka does so only where no metadata was changed between the two (safe), and refuses to lose any "
        f"(unsafe). Set it to {version_at(level)}. (docs/operations.md, Downgrades)"
    )


class ImageResource(OwnResource, name="Image", provider=ImageProvider):
    """The image that the nodes are to run."""


class MetadataVersionResource(OwnResource, name="MetadataVersion", provider=MetadataVersionProvider):
    """The version of the cluster's metadata."""
