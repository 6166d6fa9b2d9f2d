"""A producer that goes on while things happen to the brokers, and what it was told."""

import itertools
import json
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.live.cluster import Cluster, eventually

_OUT = "/tmp/producer.out"
_TOOLS = "/opt/kafka/bin"
# The tool sets retries to 0 where nothing says otherwise; a client has these by itself.
_DEFAULTS = {"enable.idempotence": "true", "retries": "2147483647"}


@dataclass(frozen=True)
class Report:
    """What a producer was told in a span of time. Times are seconds since the epoch, by the cluster's clock."""

    acknowledged: tuple[tuple[float, str], ...]
    """Time and value of each record that was acknowledged."""
    begin: float
    """The span's; the first acknowledgement, where it is asked from the start."""
    end: float
    errors: Counter[str] = field(default_factory=Counter)
    """Errors that reached the caller, by kind: retries that succeeded are none."""

    @property
    def longest_gap(self) -> float:
        """Seconds of the longest time without an acknowledgement, also at its begin and end; to be asked of a topic
        with one partition.
        """
        times = sorted(when for when, _ in self.acknowledged)
        return max(after - before for before, after in itertools.pairwise((self.begin, *times, self.end)))


class Load:
    """Kafka's verifiable producer in a pod of its own, on the server's node, which no test stops or drains.

    `properties` are those of the client; those of a default client when empty. `with Load(…) as load: …`
    """

    def __init__(
        self,
        cluster: Cluster,
        image: str,
        bootstrap: str,
        topic: str,
        *,
        rate: int = 50,
        properties: str = "",
        name: str = "load",
    ) -> None:
        self._cluster, self._name = cluster, name
        given = dict(line.split("=", 1) for line in properties.splitlines() if line)
        config = "".join(f"{key}={value}\\n" for key, value in (_DEFAULTS | given).items())
        producer = (
            f"{_TOOLS}/kafka-verifiable-producer.sh --bootstrap-server {bootstrap} --topic {topic} "
            f"--throughput {rate} --acks -1 --command-config /tmp/producer.properties"
        )
        script = (
            f"printf '{config}' >/tmp/producer.properties; {producer} >{_OUT} 2>/tmp/producer.log; exec sleep 1000000"
        )
        container = {
            "name": "producer",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["bash", "-c", script],
            "env": [
                {"name": "KAFKA_HEAP_OPTS", "value": "-Xmx96m"},
                {"name": "KAFKA_JVM_PERFORMANCE_OPTS", "value": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"},
            ],
        }
        self._pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "nodeSelector": {"node-role.kubernetes.io/control-plane": "true"},
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "dnsConfig": {"options": [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "3"}]},
                "containers": [container],
            },
        }

    def __enter__(self) -> "Load":
        self._cluster.kubectl("apply", "-f", "-", stdin=json.dumps(self._pod))
        eventually("the producer is acknowledged its first records", lambda: len(self._lines(tail=40)) >= 40)
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.kubectl("-n", "default", "delete", "pod", self._name, "--grace-period=0", "--force")

    def report(self, since: float = 0.0) -> Report:
        """What it was told since then, up to now."""
        return self._report(since, time.time())

    def settle(self, begin: float, seconds: float = 5) -> Report:
        """The report since `begin`, once it has gone on undisturbed for some seconds."""
        time.sleep(seconds)
        return self.report(begin)

    def finish(self, seconds: float = 5) -> Report:
        """The report of all of it, once it has gone on for some seconds more and has ended: what is read back from
        then on is all that there is.
        """
        time.sleep(seconds)
        end = time.time()
        self._cluster.kubectl("-n", "default", "exec", self._name, "--", "pkill", "-INT", "java")
        eventually("the producer has ended", lambda: "shutdown_complete" in "".join(self._lines(tail=5)), 60)
        return self._report(0, end)

    def _report(self, since: float, end: float) -> Report:
        events = [json.loads(line) for line in self._lines()]
        acknowledged = tuple(
            (event["timestamp"] / 1000, event["value"])
            for event in events
            if event["name"] == "producer_send_success" and event["timestamp"] / 1000 >= since
        )
        errors = Counter(event["exception"] for event in events if event["name"] == "producer_send_error")
        first = min((when for when, _ in acknowledged), default=end)
        return Report(acknowledged, since or first, end, errors)

    def _lines(self, tail: int | None = None) -> list[str]:
        read = ["tail", "-n", str(tail)] if tail else ["cat"]
        try:
            out = self._cluster.kubectl("-n", "default", "exec", self._name, "--", *read, _OUT, quiet=True)
        except Exception:  # the pod does not run yet
            return []
        return [line for line in out.splitlines() if line.endswith("}")]  # the last may be half written
