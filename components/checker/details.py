"""Questions of Kafka's protocol that `live` asks, not the checker itself: whole configurations, and features."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from .wire import (
    CLIENT,
    CONFIGS_VERSION,
    DESCRIBE_CONFIGS,
    Connection,
    Reader,
    WireError,
    array_of,
    compact_of,
    string_of,
)

_API_VERSIONS, _API_VERSIONS_VERSION = 18, 4


class Config(NamedTuple):
    """A configuration entry; `source` is Kafka's code of where its value comes from, `value` empty where it is kept
    secret.
    """

    name: str
    value: str
    source: int


class Feature(NamedTuple):
    """A feature's level that holds in the cluster, 0 for none, and the highest that the node knows."""

    finalized: int
    supported: int


def configs(connection: Connection, kind: int, names: Iterable[str]) -> dict[str, list[Config]]:
    """The configuration of each resource of a kind (2: topic, 4: broker), by its name. One that is gone meanwhile is
    left out. Raises WireError.
    """
    resources = (struct.pack(">b", kind) + string_of(name) + struct.pack(">i", -1) for name in names)
    body = array_of(resources) + b"\0"  # no synonyms
    return connection.ask(DESCRIBE_CONFIGS, CONFIGS_VERSION, body, parse_configs)


def parse_configs(answer: Reader) -> dict[str, list[Config]]:
    """Of a DescribeConfigs response of version 1."""

    def synonym() -> None:
        answer.string(), answer.string(), answer.numbers(">b")

    def config() -> Config:
        name, value = answer.string(), answer.string()
        _, source, _ = answer.numbers(">bbb")  # read-only, source, sensitive
        answer.array(synonym)
        return Config(name, value, source)

    def result() -> tuple[int, str, list[Config]]:
        error = answer.int16()
        answer.string(), answer.numbers(">b")  # message, kind
        return error, answer.string(), answer.array(config)

    answer.int32()  # throttle time
    return {name: found for error, name, found in answer.array(result) if not error}


def features(connection: Connection) -> dict[str, Feature]:
    """The features as a node knows them, broker or controller. Raises WireError."""
    body = compact_of(CLIENT) + compact_of(b"1") + b"\0"  # name and version of the client
    return connection.ask(_API_VERSIONS, _API_VERSIONS_VERSION, body, parse_features, flexible=True)


def parse_features(answer: Reader) -> dict[str, Feature]:
    """Of an ApiVersions response of version 4, whose tags they are; its header has none (KIP-511)."""

    def api() -> None:
        answer.numbers(">hhh")  # its number, lowest and highest version
        answer.tags()

    def level() -> tuple[str, int, int]:
        found = answer.compact_string(), answer.int16(), answer.int16()
        answer.tags()
        return found

    if code := answer.int16():
        raise WireError(f"the node answers with error {code}")
    answer.compact_array(api), answer.int32()  # throttle time
    supported: dict[str, int] = {}
    finalized: dict[str, int] = {}
    for _ in range(answer.varint()):
        tag, length = answer.varint(), answer.varint()
        if tag == 0:
            supported = {name: highest for name, _, highest in answer.compact_array(level)}
        elif tag == 2:
            finalized = {name: highest for name, highest, _ in answer.compact_array(level)}
        else:
            answer.take(length)
    return {name: Feature(finalized.get(name, 0), highest) for name, highest in supported.items()}
