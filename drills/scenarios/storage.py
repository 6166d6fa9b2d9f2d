"""A broker's disk."""

from drills.drill import Drill
from drills.faults import disks
from drills.scenarios.scenario import UNNOTICED, Scenario, spare_leader


def disk_full(drill: Drill) -> None:
    """The disk of a leader is full for a while."""
    drill.start(disks.full(drill, drill.leader_on_a_spare_node()))
    drill.hold(2 * drill.options.hold)


def small_disk(drill: Drill) -> None:
    """Applies where a leader's disk is small."""
    spare_leader(drill)
    disks.check(drill, drill.leader_on_a_spare_node())


SCENARIOS = (
    Scenario(
        name="disk-full",
        statement="The disk of a partition's leader fills up, and has room again.",
        expectations=(*UNNOTICED, "longest-gap=5", "quorum-kept=5"),
        perform=disk_full,
        applies=small_disk,
    ),
)
