"""Which image is which: those that start a broker by themselves, and those that never are one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Convention(StrEnum):
    """How an image takes its settings."""

    OFFICIAL = "official"
    CONFLUENT = "confluent"
    BITNAMI = "bitnami"
    STRIMZI = "strimzi"
    OWN = "own"


@dataclass(frozen=True)
class Image:
    """An image's name, taken apart."""

    owner: str
    repository: str
    tag: str


def parse_image(text: str) -> Image:
    """`registry/owner/repository:tag@digest`, any part of which may be missing."""
    name = text.partition("@")[0]
    path, _, last = name.rpartition("/")
    repository, _, tag = last.partition(":")
    return Image(path.rpartition("/")[2], repository.lower(), tag)


CONVENTIONS: Final = {
    ("apache", "kafka"): Convention.OFFICIAL,
    ("apache", "kafka-native"): Convention.OFFICIAL,
    ("confluentinc", "cp-kafka"): Convention.CONFLUENT,
    ("confluentinc", "cp-server"): Convention.CONFLUENT,
    ("confluentinc", "confluent-local"): Convention.CONFLUENT,
    ("bitnami", "kafka"): Convention.BITNAMI,
    ("bitnamilegacy", "kafka"): Convention.BITNAMI,
    ("bitnamisecure", "kafka"): Convention.BITNAMI,
    ("strimzi", "kafka"): Convention.STRIMZI,
}
# A word of a repository's name that says: this talks to Kafka and is none.
CLIENTS: Final = (
    "connect",
    "debezium",
    "schema-registry",
    "schemaregistry",
    "registry",
    "kafka-ui",
    "kafbat",
    "kafdrop",
    "akhq",
    "kowl",
    "console",
    "cmak",
    "kafka-manager",
    "exporter",
    "burrow",
    "cruise-control",
    "mirror",
    "kafka-rest",
    "rest-proxy",
    "ksql",
    "control-center",
    "replicator",
    "bridge",
    "operator",
    "lag",
    "kminion",
    "kcat",
    "kafkacat",
    "tools",
    "client",
    "consumer",
    "producer",
    "zookeeper",
    "cp-base",
    "streams",
    "proxy",
)


def convention_of(image: Image) -> Convention:
    """The convention of a known image; `OWN` for every other."""
    return CONVENTIONS.get((image.owner, image.repository), Convention.OWN)


def is_client(image: Image) -> bool:
    """Whether the image's name says that it is no broker."""
    if convention_of(image) is not Convention.OWN:
        return False
    return any(word in image.repository for word in CLIENTS)
