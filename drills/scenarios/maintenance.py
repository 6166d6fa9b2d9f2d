"""Nodes are drained, as for maintenance."""

import time

from drills.drill import Drill
from drills.errors import NotApplicable
from drills.faults.drain import cordoned, drained
from drills.faults.pods import delete
from drills.scenarios.scenario import ALWAYS, UNNOTICED, Scenario, spare_leader

_ASK_SECONDS = 2.0
_GONE_SECONDS = 600.0


def drain_leader(drill: Drill) -> None:
    """The node of a leader is drained, and stays so for a while."""
    drill.start(drained(drill, drill.node_of(drill.leader_on_a_spare_node())))
    drill.hold()


def drain_two(drill: Drill) -> None:
    """While that node is drained, another broker is asked to leave again and again."""
    _first_and_second(drill)


def drain_two_force(drill: Drill) -> None:
    """The second one is deleted, which asks no budget."""
    second = _first_and_second(drill)
    # It must not come back on its own node.
    drill.start(cordoned(drill, drill.node_of(second)))
    uid = _uid(drill, second)
    delete(drill, second)
    drill.wait(f"{second} has stopped", lambda: _uid(drill, second) != uid, _GONE_SECONDS)
    drill.hold()


def _first_and_second(drill: Drill) -> str:
    """Drains a leader's node and asks another broker to leave; the name of that one's pod."""
    first = drill.leader_on_a_spare_node()
    second = drill.other_on_a_spare_node(first)
    drill.start(drained(drill, drill.node_of(first)))
    until = time.monotonic() + drill.options.hold
    while time.monotonic() < until:
        if drill.evict(drill.target.namespace, second).granted:
            drill.say(f"{second} was let go while {first} is away")
            break
        drill.hold(_ASK_SECONDS)
    return second


def _uid(drill: Drill, pod: str) -> str:
    found = drill.kubernetes.pod(drill.target.namespace, pod)
    return found["metadata"]["uid"] if found else ""


def two_spare(drill: Drill) -> None:
    """Applies where two brokers' nodes can be taken, and a budget covers Kafka."""
    spare_leader(drill)
    drill.other_on_a_spare_node(drill.leader_on_a_spare_node())
    if not drill.situation.budgets:
        raise NotApplicable("no PodDisruptionBudget covers Kafka: nothing would refuse an eviction.")


SCENARIOS = (
    Scenario(
        name="drain-leader",
        statement="The node of a partition's leader is cordoned and drained by evictions, and later uncordoned.",
        expectations=(*UNNOTICED, "leader-moved", "longest-gap=1", "quorum-kept=5"),
        perform=drain_leader,
        applies=spare_leader,
    ),
    Scenario(
        name="drain-two",
        statement="While a leader's node is drained, the eviction of another broker is asked for.",
        expectations=(*UNNOTICED, "second-eviction-refused", "longest-gap=1"),
        perform=drain_two,
        applies=two_spare,
    ),
    Scenario(
        name="drain-two-force",
        statement="While a leader's node is drained, another broker is deleted and kept away: too few are left.",
        expectations=(*ALWAYS, "writes-refused"),
        perform=drain_two_force,
        applies=two_spare,
        # A client with its usual patience would hide the refusals for two minutes.
        properties={"retries": "2"},
    ),
)
