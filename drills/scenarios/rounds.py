"""Many faults in a row, each chosen at random from those that apply (as Jepsen's nemesis does)."""

from collections.abc import Callable

from drills.drill import Drill
from drills.errors import NotApplicable
from drills.faults.nodes import lost
from drills.faults.pods import delete
from drills.scenarios import crashes, losses, maintenance
from drills.scenarios.scenario import UNNOTICED, Scenario, several_brokers, spare_leader

_SHORTEST, _LONGEST = 0.3, 1.5  # of --hold


def lose_node(drill: Drill) -> None:
    """The node of a leader is off for a while."""
    drill.start(lost(drill, drill.node_of(drill.leader_on_a_spare_node())))


def delete_leader(drill: Drill) -> None:
    """A leader's pod is deleted."""
    delete(drill, drill.leader())


def kill_pod(drill: Drill) -> None:
    """A broker's pod is deleted with no grace."""
    delete(drill, drill.random.choice([drill.target.pod_of(one) for one in drill.target.brokers]), at_once=True)


FAULTS: dict[str, tuple[Callable[[Drill], None], Callable[[Drill], None]]] = {
    "drain-leader": (maintenance.drain_leader, spare_leader),
    "kill-leader": (crashes.kill_leader, crashes.leader_can_be_signalled),
    "freeze-leader": (crashes.freeze_leader, crashes.leader_can_be_signalled),
    "kill-controller": (crashes.kill_controller, crashes.controller_can_be_signalled),
    "partition": (losses.partition, losses.can_be_cut_off),
    "lose-node": (lose_node, losses.reachable),
    "delete-leader": (delete_leader, several_brokers),
    "kill-pod": (kill_pod, several_brokers),
}
"""By name: what is done, and what raises NotApplicable where it can't be."""


def random(drill: Drill) -> None:
    """One of the faults, for a random while."""
    names = sorted(FAULTS)
    drill.random.shuffle(names)
    for name in names:
        perform, applies = FAULTS[name]
        try:
            applies(drill)
        except NotApplicable:
            continue
        drill.say(f"at random: {name}")
        perform(drill)
        drill.hold(drill.options.hold * drill.random.uniform(_SHORTEST, _LONGEST))
        return


SCENARIOS = (
    Scenario(
        name="random",
        statement="Faults chosen at random, by a seed, one after the other; each is undone before the next.",
        expectations=(*UNNOTICED, "longest-gap=5", "quorum-kept=5"),
        perform=random,
        applies=several_brokers,
        rounds=5,
    ),
)
