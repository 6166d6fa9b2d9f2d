"""What the cluster holds, told to a program outside: `python3 -m checker.live PART…` prints it as JSON.

Run by `kubectl exec` in the checker's container: Kafka's own tools would start a JVM for each question, in the memory
of a broker. A part is `metadata_version`, which every node can tell, or `topics` or `settings`, which a broker can.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .details import configs, features
from .environment import Environment
from .wire import Connection, WireError

_SECONDS = 10.0  # for an answer
_TOPIC, _BROKER = 2, 4  # kinds of resources that have a configuration
_OF_TOPIC, _OF_CLUSTER = 1, 3  # a value's source: set on the topic, set for all brokers at run time
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


PARTS: Mapping[str, Callable[[Connection], Any]] = {
    "topics": topics,
    "settings": settings,
    "metadata_version": metadata_version,
}


def main() -> None:
    """Prints the parts; ends with exit code 1 and a sentence where the node does not answer."""
    environment = Environment.read()
    port = environment.client_port if environment.node.broker else environment.controllers[0][1]
    connection = Connection("127.0.0.1", port, _SECONDS)
    try:
        print(json.dumps({part: PARTS[part](connection) for part in sys.argv[1:]}))
    except WireError as error:
        sys.exit(f"{environment.pod}: {error}")


if __name__ == "__main__":
    main()
