"""A client outside the Kubernetes cluster: Kafka's tools in containers beside the nodes, on their network."""

import json
from typing import Any

from tests.live.process import run

# The tool that produces sets retries to 0 where nothing says otherwise, which the recommended properties forbid. The
# bootstrap servers of the file are those inside the cluster, and would win over the argument. Of two lines
# the last does.
_OURS = "retries=2147483647\nbootstrap.servers={}\n"
# The login comes by standard input: the arguments of a failed command are told.
_SCRIPT = """cat >/tmp/client.properties
tool=/opt/kafka/bin/$1
shift
exec "$tool" --command-config /tmp/client.properties "$@"
"""


class OutsideClient:
    """Knows the names of the brokers in `bootstrap`, and each of them by the address of one and the same node.
    `properties` are those of the client.
    """

    def __init__(self, node: str, image: str, bootstrap: str, properties: str) -> None:
        networks = json.loads(run("docker", "inspect", "--format", "{{json .NetworkSettings.Networks}}", node))
        [(network, place)] = networks.items()
        names = [address.partition(":")[0] for address in bootstrap.split(",")]
        hosts = [f"--add-host={name}:{place['IPAddress']}" for name in names]
        options = ["--rm", "-i", f"--network={network}", *hosts, "--env=KAFKA_HEAP_OPTS=-Xmx128m", "--entrypoint=bash"]
        self._shell = ["docker", "run", *options, image, "-c", _SCRIPT, "tool"]
        self._bootstrap, self._properties = bootstrap, properties + _OURS.format(bootstrap)

    def produce(self, topic: str, count: int) -> list[dict[str, Any]]:
        """Sends `count` records with as many keys, so to all partitions; what became of each."""
        arguments = ["--topic", topic, "--max-messages", str(count), "--repeating-keys", str(count)]
        events = [json.loads(line) for line in self._tool("kafka-verifiable-producer.sh", *arguments).splitlines()]
        return [event for event in events if event["name"].startswith("producer_send")]

    def consume(self, topic: str, count: int, group: str) -> list[str]:
        """The values of so many records; fewer where Kafka gives no more, or refuses."""
        arguments = ["--topic", topic, "--from-beginning", "--max-messages", str(count), "--timeout-ms", "20000"]
        return self._tool("kafka-console-consumer.sh", *arguments, "--group", group).split()

    def _tool(self, name: str, *arguments: str) -> str:
        return run(*self._shell, name, "--bootstrap-server", self._bootstrap, *arguments, stdin=self._properties)
