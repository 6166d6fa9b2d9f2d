"""A Kafka client: the tools of Kafka's image in a pod of their own, on the server's node, which no test drains."""

import json
import re

from tests.live.cluster import Cluster
from tests.live.process import log

_POD = "live-client"
_TOOLS = "/opt/kafka/bin"


class KafkaClient:
    """Produces, consumes and asks, inside the cluster."""

    def __init__(self, cluster: Cluster, image: str, bootstrap: str) -> None:
        self._cluster, self.image, self.bootstrap = cluster, image, bootstrap
        self._batch = 0
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": _POD, "namespace": "default"},
            "spec": {
                "nodeSelector": {"node-role.kubernetes.io/control-plane": "true"},
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {
                        "name": "client",
                        "image": image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["sleep", "2147483647"],
                        "env": [{"name": "KAFKA_HEAP_OPTS", "value": "-Xmx128m"}],
                    }
                ],
            },
        }
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
        cluster.kubectl("-n", "default", "wait", "--for=condition=Ready", f"pod/{_POD}", "--timeout=300s")

    def tool(self, name: str, *arguments: str) -> str:
        """Standard output of one of Kafka's tools, such as `kafka-topics.sh`."""
        return self.run(name, "--bootstrap-server", self.bootstrap, *arguments)

    def run(self, name: str, *arguments: str) -> str:
        """Standard output of a tool that is told of the brokers in another way."""
        return self._cluster.kubectl("-n", "default", "exec", _POD, "--", f"{_TOOLS}/{name}", *arguments)

    def write(self, file: str, text: str) -> None:
        """Puts a file beside the tools."""
        self._cluster.kubectl("-n", "default", "exec", "-i", _POD, "--", "sh", "-c", f"cat >{file}", stdin=text)

    def produce(self, topic: str, count: int) -> set[str]:
        """Sends `count` records with acks=all; the values of those that were acknowledged, unlike any sent before."""
        self._batch += 1
        arguments = ["--topic", topic, "--max-messages", str(count), "--acks", "-1", "--value-prefix", str(self._batch)]
        events = [json.loads(line) for line in self.tool("kafka-verifiable-producer.sh", *arguments).splitlines()]
        return {event["value"] for event in events if event["name"] == "producer_send_success"}

    def consume(self, topic: str) -> list[str]:
        """The values of all records that the topic holds now."""
        ends = self.tool("kafka-get-offsets.sh", "--topic", f"^{re.escape(topic)}$")
        count = sum(int(line.rsplit(":", 1)[1]) for line in ends.split())
        arguments = ["--topic", topic, "--from-beginning", "--max-messages", str(count), "--timeout-ms", "60000"]
        values = self.tool("kafka-console-consumer.sh", *arguments).split()
        log.info("         %d of %d records read", len(values), count)
        return values

    def topic(self, name: str) -> dict[str, str]:
        """Partitions, replication factor and configuration, as Kafka describes the topic."""
        line = self.tool("kafka-topics.sh", "--describe", "--topic", name).splitlines()[0]
        return dict(field.split(": ", 1) for field in line.split("\t") if ": " in field)

    def broker_setting(self, broker: int, key: str) -> str:
        """The value that a running broker uses."""
        arguments = ["--describe", "--all", "--entity-type", "brokers", "--entity-name", str(broker)]
        found = re.search(rf"^\s*{re.escape(key)}=(\S+)", self.tool("kafka-configs.sh", *arguments), re.MULTILINE)
        return found[1] if found else ""
