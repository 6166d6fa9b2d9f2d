"""Brokers and voters that come and go: `python3 -m components.scripts.members evacuate|settle|rebalance`.

`evacuate` runs before the StatefulSet gets smaller, `settle` and `rebalance` after it is as asked for. Each may be
interrupted and run again. From the environment: MEMBERS (what is asked for, as JSON), what `kafka_tools` needs, and
SIMULATED where no Kafka answers.
"""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from components.scripts.kafka_state import State, read_brokers, read_state, read_voters
from components.scripts.kafka_tools import KafkaTools
from components.scripts.moves import Moves, reassignment
from components.scripts.process import Refused, main, progress
from components.scripts.reassignment import Assignment, balance, listed, place, starved

_AGAIN = 5.0  # seconds between two looks
_LONGEST = 1800.0  # seconds: nodes stop, and start, one after the other, each within its grace period
_CORDON = "cordoned.log.dirs"


@dataclass(frozen=True)
class Members:
    """What is asked for: brokers 0 to `brokers` - 1, and `voters` voters from `first_voter` on."""

    brokers: int
    brokers_set: str
    """Name of the brokers' StatefulSet."""
    voters: int
    first_voter: int
    voters_set: str
    """Name of the voters' StatefulSet: in combined mode the brokers'."""
    throttle: int
    """Bytes a second that each broker may send, and take, while replicas are moved."""
    automatic: bool
    """Whether `rebalance` moves replicas, or only tells how."""

    def to_json(self) -> str:
        """What `from_environment` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Members":
        """The members in the variable that the command was given."""
        return cls(**json.loads(environment["MEMBERS"]))


class Cluster:
    """A cluster that is to have these members. Every method raises Refused."""

    def __init__(self, members: Members, tools: KafkaTools) -> None:
        self._members, self._tools = members, tools
        self._brokers = range(members.brokers)
        self._voters = range(members.first_voter, members.first_voter + members.voters)
        self._moves = Moves(tools, members.throttle)

    def evacuate(self) -> None:
        """Moves all replicas off the brokers that are about to leave, if there are any."""
        leaving = range(self._members.brokers, self._replicas())
        if not leaving:
            return
        state = read_state(self._tools)
        try:
            state.check(self._brokers, state.partitions)
            self._placed(state)
        except Refused as refusal:
            raise Refused(f"kafka-ha:kafka.brokers: got {self._members.brokers}, but {refusal}") from refusal
        self._cordon([broker for broker in leaving if broker in state.brokers])
        self._moves.carry_out(f"evacuation of broker {listed(leaving)}", self._brokers, self._placed)

    def settle(self) -> None:
        """Takes voters and brokers that are gone out of the cluster, and waits for the voters that are new."""
        _wait(self._unsettled_voters)
        gone = [broker for broker in read_brokers(self._tools) if broker not in self._brokers]
        if not gone:
            return
        # Of a topic that was made after the evacuation.
        self._moves.carry_out(f"evacuation of broker {listed(gone)}, which is gone", self._brokers, self._strays)
        _wait(lambda: self._running(gone))
        for broker in gone:
            self._tools.run("kafka-cluster.sh unregister", "--id", str(broker))
            progress(f"broker {broker} is unregistered.")

    def rebalance(self) -> None:
        """Moves replicas to brokers that hold far less than their share, as new ones do; ends what was interrupted."""
        state = read_state(self._tools)
        hungry = starved(state.targets, self._brokers)
        if not (hungry or state.moving or state.throttled):
            return
        self._uncordon(hungry)
        if self._members.automatic or not hungry:
            self._moves.carry_out("rebalance", self._brokers, self._balanced)
            return
        plan = {key: to for key, to in self._balanced(state).items() if to != state.partitions[key].replicas}
        progress(
            f"broker {listed(hungry)} holds less than half of its share, and kafka-ha:kafka.reassignment.automatic is "
            f"false. Set it to true, or move {len(plan)} partitions by hand: kafka-reassign-partitions.sh --execute "
            f"--throttle {self._members.throttle} --reassignment-json-file FILE, with this in it: {reassignment(plan)}"
        )

    def _placed(self, state: State) -> Assignment:
        return place(state.targets, state.racks(self._brokers))

    def _strays(self, state: State) -> Assignment:
        stray = {key for key, partition in state.partitions.items() if set(partition.replicas) - set(self._brokers)}
        return {key: replicas for key, replicas in self._placed(state).items() if key in stray}

    def _balanced(self, state: State) -> Assignment:
        """Balanced where a broker starves; else as it is, or will be when what is under way has ended."""
        if starved(state.targets, self._brokers):
            return balance(state.targets, state.racks(self._brokers))
        return state.targets

    def _replicas(self) -> int:
        """How many brokers there are to be now, 0 on the first deployment."""
        which = "get", "statefulset", self._members.brokers_set, "--ignore-not-found"
        return int(self._tools.kubectl(*which, "-o", "jsonpath={.spec.replicas}") or 0)

    def _cordon(self, brokers: list[int]) -> None:
        """Keeps new topics off brokers (KIP-1066: Kafka 4.3, when its metadata version is finalised)."""
        try:
            for broker in brokers:
                self._configure(broker, "--add-config", f"{_CORDON}=*")
        except Refused as refusal:
            progress(f"topics that are made meanwhile may still be put on broker {listed(brokers)}: {refusal}")

    def _uncordon(self, brokers: list[int]) -> None:
        if brokers:
            text = self._tools.run("kafka-configs.sh", "--describe", "--entity-type", "brokers")
            for broker in set(brokers) & parse_cordoned(text):
                self._configure(broker, "--delete-config", _CORDON)

    def _configure(self, broker: int, *change: str) -> None:
        where = ["--entity-type", "brokers", "--entity-name", str(broker)]
        self._tools.run("kafka-configs.sh", "--alter", *where, *change)

    def _unsettled_voters(self) -> list[str]:
        """Removes the voters that are gone; what is still to be waited for."""
        voters = read_voters(self._tools)
        reasons = [f"voter {new} joins" for new in self._voters if new not in {voter.id for voter in voters}]
        pods = self._tools.kubectl("get", "pods", "-o", "name").split()
        for voter in (voter for voter in voters if voter.id not in self._voters):
            pod = f"{self._members.voters_set}-{voter.id - self._members.first_voter}"
            if f"pod/{pod}" in pods:  # while it runs, it would join again at once (KAFKA-19850)
                reasons.append(f"{pod} stops")
                continue
            disk = ["--controller-id", str(voter.id), "--controller-directory-id", voter.directory]
            try:
                self._tools.run("kafka-metadata-quorum.sh", "remove-controller", *disk)
                progress(f"voter {voter.id} is removed from the quorum.")
            except Refused as refusal:  # as long as another change of the voters is under way
                reasons.append(str(refusal))
        return reasons

    def _running(self, brokers: list[int]) -> list[str]:
        found = read_brokers(self._tools)
        return [f"broker {broker} stops" for broker in brokers if broker in found and found[broker].alive]


def parse_cordoned(text: str) -> set[int]:
    """Of `kafka-configs.sh --describe --entity-type brokers`: the brokers that take no new replicas."""
    sections = re.split(r"^Dynamic configs for broker (\d+) are:$", text, flags=re.MULTILINE)
    return {int(broker) for broker, configs in zip(sections[1::2], sections[2::2], strict=True) if _CORDON in configs}


def _wait(reasons: Callable[[], list[str]]) -> None:
    """Until there are no reasons to wait any more."""
    end = time.monotonic() + _LONGEST
    said: list[str] = []
    while waiting := reasons():
        if time.monotonic() > end:
            raise Refused(f"after {_LONGEST / 60:.0f} minutes still not so: {'; '.join(waiting)}. Run it again.")
        if waiting != said:
            progress(f"waiting: {'; '.join(waiting)}")
        said = waiting
        time.sleep(_AGAIN)


def _run(action: Callable[[Cluster], None]) -> Callable[[], None]:
    def run() -> None:
        if os.environ.get("SIMULATED"):
            progress("simulated cluster: no Kafka answers, there is nothing to move.")
            return
        action(Cluster(Members.from_environment(os.environ), KafkaTools(os.environ)))

    return run


if __name__ == "__main__":
    main({action.__name__: _run(action) for action in (Cluster.evacuate, Cluster.settle, Cluster.rebalance)})
