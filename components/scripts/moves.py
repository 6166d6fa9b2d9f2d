"""Replicas moved by Kafka's own tools: throttled, with its progress shown, and gone on with after an interruption."""

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from components.scripts.kafka_state import State, parse_moving, read_brokers, read_state
from components.scripts.kafka_tools import KafkaTools
from components.scripts.process import Refused, progress
from components.scripts.reassignment import Assignment, Key, Replicas, place

_REASSIGN = "kafka-reassign-partitions.sh"
_ROUNDS = 5  # in which topics that are made meanwhile are moved too
_SOONEST, _LATEST = 2.0, 20.0  # seconds between two looks, each of which starts a JVM beside a broker
_PATIENCE = 600.0  # seconds without any partition done before the throttle is suspected

Planner = Callable[[State], Assignment]


class Moves:
    """Moves of one cluster. `throttle`: bytes a second that each broker may send, and take, for them."""

    def __init__(self, tools: KafkaTools, throttle: int) -> None:
        self._tools, self._throttle = tools, throttle

    def carry_out(self, what: str, brokers: Collection[int], plan: Planner) -> None:
        """Moves replicas until all are where `plan` has them, on `brokers`; what is under way already is gone on with.
        Raises Refused where records could get lost, see `State.check`.
        """
        for _ in range(_ROUNDS):
            state = read_state(self._tools)
            planned = plan(state)
            moving = {key: replicas for key, replicas in planned.items() if not state.partitions[key].is_at(replicas)}
            throttled = {key: replicas for key, replicas in planned.items() if key[0] in state.throttled}
            if moving:
                state.check(brokers, planned)
                self._execute(what, state, moving)
            elif throttled and not state.moving:  # interrupted before the throttle was removed
                self._wait(what, throttled, {})
            else:
                return
        raise Refused(f"{what}: new partitions kept coming, for {_ROUNDS} rounds. Run it again.")

    def _execute(self, what: str, state: State, moving: Mapping[Key, Replicas]) -> None:
        sizes = self._sizes()
        copied = {
            key: sizes.get(key, 0) * len(set(replicas) - state.partitions[key].isr) for key, replicas in moving.items()
        }
        progress(f"{what}: {len(moving)} partitions change, {_mib(copied.values())} to copy.")
        # Additional: also when some of it is under way, whose throttle becomes this one.
        arguments = ["--execute", "--additional", "--throttle", str(self._throttle), "--reassignment-json-file"]
        self._tools.run(_REASSIGN, *arguments, file=reassignment(moving))
        self._wait(what, moving, copied)
        try:
            arguments = ["--election-type", "PREFERRED", "--path-to-json-file"]
            self._tools.run("kafka-leader-election.sh", *arguments, file=_partitions(moving))
        except Refused as refusal:  # the controller does it by itself within minutes (auto.leader.rebalance.enable)
            progress(f"{what}: the leaders were not all moved yet: {refusal}")

    def _wait(self, what: str, moving: Mapping[Key, Replicas], copied: Mapping[Key, int]) -> None:
        """Until it is done, and Kafka's tool has removed the throttle."""
        pause, left, since = _SOONEST, len(moving), time.monotonic()
        while found := parse_moving(
            self._tools.run(_REASSIGN, "--verify", "--reassignment-json-file", file=reassignment(moving))
        ):
            if len(found) < left:
                left, since = len(found), time.monotonic()
            rest = _mib(copied.get(key, 0) for key in found)
            progress(f"{what}: {len(found)} of {len(moving)} partitions left ({rest}).{self._doubt(since)}")
            time.sleep(pause)
            pause = min(2 * pause, _LATEST)

    def _doubt(self, since: float) -> str:
        minutes = (time.monotonic() - since) / 60
        if minutes * 60 < _PATIENCE:
            return ""
        return (
            f" None was done for {minutes:.0f} minutes: where more is written than the throttle lets through, it never "
            "ends. Interrupt this, raise kafka-ha:kafka.reassignment.throttle, and deploy again: it goes on."
        )

    def _sizes(self) -> dict[Key, int]:
        """Bytes of each partition's largest replica."""
        text = self._tools.run("kafka-log-dirs.sh", "--describe")
        brokers = json.loads(text[text.index("{") :])["brokers"]
        sizes: dict[Key, int] = {}
        for replica in (one for broker in brokers for disk in broker["logDirs"] for one in disk["partitions"]):
            topic, _, index = replica["partition"].rpartition("-")
            sizes[topic, int(index)] = max(sizes.get((topic, int(index)), 0), replica["size"])
        return sizes


def reassign_topic(tools: KafkaTools, topic: str, replication_factor: int, throttle: int) -> None:
    """Raises or lowers a topic's replication factor. `throttle`: bytes a second for each broker.

    Raises Refused where there are fewer brokers, or where replicas are out of sync: which of them to do without can't
    be told then. That the new factor stays above the minimum ISR is for the rules to see.
    """

    def plan(state: State) -> Assignment:
        planned = place(state.targets, state.racks(state.brokers), {topic: replication_factor})
        return {key: replicas for key, replicas in planned.items() if key[0] == topic}

    Moves(tools, throttle).carry_out(f"topic {topic}", read_brokers(tools), plan)


def reassignment(moving: Assignment) -> str:
    """The file of `kafka-reassign-partitions.sh`."""
    partitions = [
        {"topic": topic, "partition": index, "replicas": replicas} for (topic, index), replicas in moving.items()
    ]
    return json.dumps({"version": 1, "partitions": partitions})


def _partitions(keys: Iterable[Key]) -> str:
    return json.dumps({"partitions": [{"topic": topic, "partition": index} for topic, index in keys]})


def _mib(sizes: Iterable[int]) -> str:
    return f"{sum(sizes) / 2**20:.0f} MiB"
