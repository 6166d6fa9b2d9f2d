"""What Kafka does where a setting is absent, by version."""

import re
from typing import Final

Version = tuple[int, int]
LATEST: Final[Version] = (4, 3)
_ALWAYS: Final = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
}
# (since, key, value): from that version on, until a later row says otherwise.
_SINCE: Final[tuple[tuple[Version, str, str], ...]] = (
    ((0, 0), "unclean.leader.election.enable", "true"),
    ((0, 11), "unclean.leader.election.enable", "false"),  # KAFKA-5142, KIP-106
    ((4, 0), "share.coordinator.state.topic.replication.factor", "3"),  # KIP-932
    ((4, 0), "share.coordinator.state.topic.min.isr", "2"),
)
# Confluent Platform counts by itself: 7.x is Kafka 3.x, 8.x is 4.x.
_CONFLUENT: Final = {4: (1, 0), 5: (2, 0), 6: (2, 6), 7: (3, 0), 8: (4, 0)}
_SCALA = re.compile(r"^2\.1[0-3]-(?=\d)")  # a tag as Kafka's own archives are called: Scala's version, then Kafka's
_NUMBER = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)(?:\.\d+)*")


def default_of(key: str, version: Version | None) -> tuple[str | None, str]:
    """The default of a setting and what to call it; None where that version has no such setting."""
    value = _ALWAYS.get(key)
    for since, name, one in _SINCE:
        if name == key and since <= (version or LATEST):
            value = one
    return value, f"Kafka {version[0]}.{version[1]}'s default" if version else "Kafka's default"


def parse_version(text: str) -> Version | None:
    """The first two numbers of a version."""
    found = _NUMBER.search(text)
    return (int(found[1]), int(found[2])) if found and len(found[1]) < 5 and len(found[2]) < 5 else None


def version_of(repository: str, tag: str) -> Version | None:
    """Kafka's version of an image; None where its tag does not say it."""
    if "kafka-" in tag:  # Strimzi's: operator version, then Kafka's
        return parse_version(tag.rpartition("kafka-")[2])
    version = parse_version(_SCALA.sub("", tag))
    if version and repository.startswith("cp-"):
        base = _CONFLUENT.get(version[0])
        return (base[0], base[1] + version[1]) if base and base[1] + version[1] >= 0 else None
    return version
