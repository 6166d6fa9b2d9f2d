"""What the cluster holds, told to a program outside: `python3 -m checker.live PART…` prints it as JSON.

Run by `kubectl exec` in the checker's container: Kafka's own tools would start a JVM for each question, in the memory
of a broker. A part is `metadata_version` or `status`, which every node can tell, or another, which a broker can.
"""

import json
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from .details import configs, features
from .environment import Environment
from .users import users
from .wire import Connection, WireError

_SECONDS = 10.0  # for an answer
_TOPIC, _BROKER = 2, 4  # kinds of resources that have a configuration
_OF_TOPIC, _OF_CLUSTER = 1, 3  # a value's source: set on the topic, set for all brokers at run time
_SHOWN = 5  # partitions of those that lack something
_AT_ONCE = 100  # topics in one question: an answer has some 40 entries for each


def topics(connection: Connection) -> dict[str, Any]:
    """Partitions, replication factor and own configuration of each topic. Raises WireError."""
    partitions: dict[str, list[int]] = {}
    for partition in connection.metadata().partitions:
        partitions.setdefault(partition.topic, []).append(len(partition.replicas))
    names = sorted(partitions)
    own: dict[str, dict[str, str]] = {}
    for start in range(0, len(names), _AT_ONCE):
        for name, found in configs(connection, _TOPIC, names[start : start + _AT_ONCE]).items():
            own[name] = {config.name: config.value for config in found if config.source == _OF_TOPIC}
    return {
        # The fewest: a partition has more while they are moved.
        name: {"partitions": len(partitions[name]), "replicationFactor": min(partitions[name]), "config": config}
        for name, config in own.items()
    }


def settings(connection: Connection) -> dict[str, str]:
    """What is set for all brokers at run time. Raises WireError."""
    found = configs(connection, _BROKER, [""]).get("", [])
    return {config.name: config.value for config in found if config.source == _OF_CLUSTER}


def metadata_version(connection: Connection) -> dict[str, int]:
    """The level of the metadata that holds, and the highest that this node knows. Raises WireError."""
    feature = features(connection)["metadata.version"]
    return {"finalized": feature.finalized, "supported": feature.supported}


def partitions(connection: Connection) -> dict[str, Any]:
    """How many partitions each broker leads, holds, and holds in sync, and which lack something. Raises WireError."""
    metadata = connection.metadata()
    names, min_isrs = sorted({partition.topic for partition in metadata.partitions}), dict[str, int]()
    for start in range(0, len(names), _AT_ONCE):
        min_isrs |= connection.min_isrs(names[start : start + _AT_ONCE])
    leads, holds, in_sync = Counter[int](), Counter[int](), Counter[int]()
    lacking: dict[str, list[str]] = {"offline": [], "underMinIsr": [], "underReplicated": []}
    for partition in metadata.partitions:
        leads[partition.leader] += 1
        holds.update(partition.replicas)
        in_sync.update(partition.isr)
        name = f"{partition.topic}-{partition.number}"
        if partition.leader < 0:
            lacking["offline"].append(name)
        if len(partition.isr) < min_isrs.get(partition.topic, 1):
            lacking["underMinIsr"].append(name)
        if len(partition.isr) < len(partition.replicas):
            lacking["underReplicated"].append(name)
    return {
        "count": len(metadata.partitions),
        "brokers": {
            node: {
                "leads": leads[node],
                "holds": holds[node],
                "inSync": in_sync[node],
                "alive": node in metadata.brokers,
            }
            for node in sorted(metadata.brokers | set(holds))
        },
        "lacking": {kind: {"count": len(found), "first": found[:_SHOWN]} for kind, found in lacking.items()},
    }


def quorum(connection: Connection) -> dict[str, Any]:
    """The quorum's leader, and how many ms each voter lags behind it; null for one that never caught up. Raises
    WireError.
    """
    found = connection.quorum()
    lags = {one.node: found.now - one.caught_up if one.caught_up >= 0 else None for one in found.voters}
    return {"leader": found.leader, "epoch": found.epoch, "lags": lags}


def status(_: Connection) -> Any:
    """What the checker beside the node tells of it. Raises WireError."""
    port = Environment.read().health_port
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=_SECONDS) as answer:
            return json.load(answer)
    except (OSError, ValueError) as error:
        raise WireError(f"the checker does not answer ({error})") from error


PARTS: Mapping[str, Callable[[Connection], Any]] = {
    "topics": topics,
    "settings": settings,
    "metadata_version": metadata_version,
    "partitions": partitions,
    "quorum": quorum,
    "status": status,
    "users": users,
}


def main() -> None:
    """Prints the parts; ends with exit code 1 and a sentence where the node does not answer."""
    environment = Environment.read()
    connection = environment.own_connection(_SECONDS)
    try:
        print(json.dumps({part: PARTS[part](connection) for part in sys.argv[1:]}))
    except WireError as error:
        sys.exit(f"{environment.pod}: {error}")


if __name__ == "__main__":
    main()
