"""Kafka's tools on a cluster that is only data; their output is as Kafka 4.3.1 writes it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from components.scripts.kafka_tools import KafkaTools
from components.scripts.process import Refused
from components.scripts.reassignment import Key

ZONES = "abc"


@dataclass
class Standing:
    """A partition; `out` are replicas that are not in sync, `to` where a reassignment moves it."""

    replicas: tuple[int, ...]
    out: set[int] = field(default_factory=set)
    to: tuple[int, ...] | None = None


class FakeKafka(KafkaTools):
    """Brokers 0 to `brokers` - 1, each a voter in a pod of its own, and partitions."""

    def __init__(self, brokers: int, partitions: Mapping[Key, tuple[int, ...]]) -> None:
        super().__init__({})
        self.alive = dict.fromkeys(range(brokers), True)
        self.voters = list(range(brokers))
        self.pods = {f"kafka-{broker}" for broker in range(brokers)}
        self.stateful_set: int | None = brokers
        self.partitions = {key: Standing(replicas) for key, replicas in partitions.items()}
        self.throttled: set[str] = set()
        self.cordoned: set[int] = set()
        self.looks = 1
        """How often a reassignment is looked at before it has ended."""
        self.meanwhile: Callable[[], None] = lambda: None
        """Happens while a reassignment is looked at."""
        self.refuses: set[str] = set()
        """Tools that fail the next time."""
        self.done: list[str] = []
        """The changes, in order."""
        self.asked = 0
        """How often a tool was run."""

    def replicas(self, topic: str) -> dict[int, tuple[int, ...]]:
        return {index: found.replicas for (name, index), found in self.partitions.items() if name == topic}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        if arguments[:2] == ("get", "pods"):
            return "".join(f"pod/{pod}\n" for pod in sorted(self.pods))
        assert arguments[:4] == ("get", "statefulset", "kafka", "--ignore-not-found")
        return "" if self.stateful_set is None else str(self.stateful_set)

    def run(self, tool: str, *arguments: str, file: str | None = None) -> str:
        self.asked += 1
        if tool in self.refuses:
            self.refuses.remove(tool)
            raise Refused(f"{tool} failed")
        options = dict(pairwise(arguments))
        match tool, *arguments:
            case "kafka-topics.sh", "--describe":
                return self._topics()
            case "kafka-cluster.sh list-endpoints", "--include-fenced-brokers":
                return self._brokers()
            case "kafka-cluster.sh unregister", "--id", broker:
                assert not self.alive.pop(int(broker))
                self.done.append(f"unregister {broker}")
                return f"Broker {broker} is no longer registered.\n"
            case "kafka-metadata-quorum.sh", "describe", "--replication":
                return self._voters()
            case "kafka-metadata-quorum.sh", "remove-controller", *_:
                voter = int(options["--controller-id"])
                assert options["--controller-directory-id"] == f"disk-{voter}"
                self.voters.remove(voter)
                self.done.append(f"remove voter {voter}")
                return f"Removed  KRaft controller {voter} with directory id disk-{voter}\n"
            case "kafka-reassign-partitions.sh", "--execute", "--additional", "--throttle", throttle, _:
                return self._execute(json.loads(file or "")["partitions"], throttle)
            case "kafka-reassign-partitions.sh", "--verify", "--reassignment-json-file":
                return self._verify([(one["topic"], one["partition"]) for one in json.loads(file or "")["partitions"]])
            case "kafka-leader-election.sh", "--election-type", "PREFERRED", "--path-to-json-file":
                self.done.append(f"elect {len(json.loads(file or '')['partitions'])}")
                return ""
            case "kafka-log-dirs.sh", "--describe":
                return self._disks()
            case "kafka-configs.sh", "--describe", "--entity-type", "brokers":
                return self._cordons()
            case "kafka-configs.sh", "--alter", "--entity-type", "brokers", "--entity-name", broker, *change:
                self._cordon(int(broker), *change)
                return f"Completed updating config for broker {broker}.\n"
        raise AssertionError(f"no such use of {tool}: {arguments}")

    def _topics(self) -> str:
        lines = []
        for topic in {topic: None for topic, _ in self.partitions}:
            throttles = "leader.replication.throttled.replicas=0:0,0:1,follower.replication.throttled.replicas=0:3,"
            configs = f"{throttles if topic in self.throttled else ''}min.insync.replicas=2"
            count = len(self.replicas(topic))
            lines.append(
                f"Topic: {topic}\tTopicId: x1\tPartitionCount: {count}\tReplicationFactor: 3\tConfigs: {configs}"
            )
            for (name, index), found in self.partitions.items():
                if name == topic:
                    lines.append(f"\tTopic: {name}\tPartition: {index}\t{self._standing(found)}\tElr: \tLastKnownElr: ")
        return _text(lines)

    def _standing(self, found: Standing) -> str:
        to = found.to or found.replicas
        removing = [broker for broker in found.replicas if broker not in to]
        isr = [broker for broker in found.replicas if broker not in found.out]
        line = f"Leader: {isr[0] if isr else 'none'}\tReplicas: {_ids([*to, *removing])}\tIsr: {_ids(isr)}"
        if found.to:
            adding = [broker for broker in to if broker not in found.replicas]
            line += f"\tAdding Replicas: {_ids(adding)}\tRemoving Replicas: {_ids(removing)}"
        return line

    def _brokers(self) -> str:
        lines = ["ID         HOST      PORT       RACK   STATE      ENDPOINT_TYPE  "]
        for broker, alive in self.alive.items():
            state = "unfenced" if alive else "fenced"
            lines.append(f"{broker:<10} kafka-{broker}   9092       {ZONES[broker % 3]:<6} {state:<10} broker         ")
        return _text(lines)

    def _voters(self) -> str:
        lines = ["NodeId\tDirectoryId\tLogEndOffset\tLag\tLastFetchTimestamp\tLastCaughtUpTimestamp\tStatus  \t"]
        for voter in [*self.voters, 99]:
            role = {self.voters[0]: "Leader  ", 99: "Observer"}.get(voter, "Follower")
            lines.append(f"{voter:<6}\tdisk-{voter}\t478\t0  \t1795557942187\t1795557942187\t{role}\t")
        return _text(lines)

    def _execute(self, moves: list[dict[str, object]], throttle: str) -> str:
        for move in moves:
            found = self.partitions[str(move["topic"]), int(str(move["partition"]))]
            found.to = tuple(map(int, move["replicas"]))  # type: ignore[call-overload]
            self.throttled.add(str(move["topic"]))
        self.done.append(f"move {len(moves)} at {throttle}")
        return f"The inter-broker throttle limit was set to {throttle} B/s\nSuccessfully started …\n"

    def _verify(self, keys: list[Key]) -> str:
        self.meanwhile()
        self.looks -= 1
        lines = ["Status of partition reassignment:"]
        for key in keys:
            found = self.partitions[key]
            if found.to and self.looks > 0:
                lines.append(f"Reassignment of partition {key[0]}-{key[1]} is still in progress.")
                continue
            found.replicas, found.to = found.to or found.replicas, None
            lines.append(f"Reassignment of partition {key[0]}-{key[1]} is completed.")
        if not any(found.to for found in self.partitions.values()):
            lines.append(
                "\nClearing broker-level throttles on brokers 0,1,2\nClearing topic-level throttles on topics …"
            )
            self.throttled -= {topic for topic, _ in keys}
            self.done.append("unthrottle")
        return _text(lines)

    def _disks(self) -> str:
        brokers = []
        for broker in self.alive:
            held = [f"{topic}-{index}" for (topic, index), one in self.partitions.items() if broker in one.replicas]
            replicas = [{"partition": name, "size": 2**20, "offsetLag": 0, "isFuture": False} for name in held]
            disk = {"partitions": replicas, "error": None, "logDir": "/var/lib/kafka/data/kraft"}
            brokers.append({"broker": broker, "logDirs": [disk]})
        said = ["Querying brokers for log directories information", "Received log directory information from brokers …"]
        return _text([*said, json.dumps({"brokers": brokers})])

    def _cordons(self) -> str:
        lines = []
        for broker in self.alive:
            lines.append(f"Dynamic configs for broker {broker} are:")
            if broker in self.cordoned:
                lines.append(
                    "  cordoned.log.dirs=* sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:cordoned.log.dirs=*}"
                )
        return _text(
            [*lines, "Default configs for brokers in the cluster are:", "  min.insync.replicas=2 sensitive=false"]
        )

    def _cordon(self, broker: int, change: str, config: str) -> None:
        if change == "--add-config":
            assert config == "cordoned.log.dirs=*"
            self.cordoned.add(broker)
            self.done.append(f"cordon {broker}")
        else:
            assert (change, config) == ("--delete-config", "cordoned.log.dirs")
            self.cordoned.remove(broker)
            self.done.append(f"uncordon {broker}")


def _ids(brokers: Iterable[int]) -> str:
    return ",".join(map(str, brokers))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
