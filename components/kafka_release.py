"""What Kafka says of itself: which broker settings it changes at run time, and its metadata versions. Pure.

`kafka_release.json` is written from Kafka's own jars (`python -m tests.kafka_release`).
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_RELEASE: Final[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text())
_THREAD_POOLS: Final[Mapping[str, int]] = _RELEASE["threadPools"]
MIN_ISR: Final = "min.insync.replicas"
"""Stands in the file and, where eligible leader replicas are on (KIP-966), in the cluster's metadata too, where Kafka
takes it from the active controller's file once. A later change must reach both; only a change may be sent: set anew,
even to what it is, it forgets the eligible leader replicas of every partition.
"""

RUN_TIME: Final = frozenset(_RELEASE["clusterWide"]) - {MIN_ISR}
"""Settings that Kafka changes in all brokers at once, without a restart (Kafka documentation, "Updating Broker
Configs", update mode cluster-wide). What it changes in one broker at a time counts as static.
"""
METADATA_VERSIONS: Final[Mapping[str, int]] = _RELEASE["metadataVersions"]
"""The level of each release's metadata, oldest first."""


def at_run_time(name: str, value: str) -> bool:
    """Whether a setting is applied at run time.

    Kafka makes a pool of threads at most twice, and at least half, as large as it is. A broker that starts with a pool
    farther away from the value set at run time refuses not only that one, but every run-time setting (measured, 4.3.1:
    "Cluster default configs could not be applied"). So a value beyond what Kafka's default can become is static.
    """
    pool = _THREAD_POOLS.get(name)
    within = pool is None or not value.isdecimal() or pool // 2 <= int(value) <= 2 * pool
    return name in RUN_TIME and within


def split(properties: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The properties that brokers start with, and those that are set at run time."""
    live = {name: value for name, value in properties.items() if at_run_time(name, value)}
    return {name: value for name, value in properties.items() if name not in live}, live


def version_of(image: str) -> str | None:
    """The release that an image's tag names, such as 4.3; None where it names none."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = re.match(r"v?(\d+\.\d+)(?:[.-]|$)", tag)
    return found[1] if found else None


def is_older(image: str, release: str) -> bool:
    """Whether an image is known to be of a release before `release`."""
    version = version_of(image)
    return version is not None and _numbers(version) < _numbers(release)


def level_of(image: str) -> int | None:
    """The highest level of metadata that an image's release knows, 0 for one that is older than all that are known
    here; None where that can't be told.
    """
    version = version_of(image)
    if version is None:
        return None
    older = _numbers(version) < min(map(_numbers, METADATA_VERSIONS))
    return 0 if older else METADATA_VERSIONS.get(version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def version_at(level: int) -> str:
    """The release that this level of metadata is the last of, for people."""
    return next((version for version, its in METADATA_VERSIONS.items() if its == level), f"level {level}")
