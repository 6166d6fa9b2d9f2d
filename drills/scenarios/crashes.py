"""Kafka's process is killed, or stands still."""

from drills.drill import Drill
from drills.errors import NotApplicable
from drills.faults import processes
from drills.faults.pods import delete
from drills.scenarios.scenario import ALWAYS, UNNOTICED, Scenario, several_brokers

_BACK_SECONDS = 600.0


def kill_leader(drill: Drill) -> None:
    """A leader's process is killed."""
    processes.kill(drill, drill.leader())
    drill.hold()


def freeze_leader(drill: Drill) -> None:
    """A leader's process stands still for a while."""
    drill.start(processes.frozen(drill, drill.leader()))
    drill.hold()


def kill_controller(drill: Drill) -> None:
    """The process that leads the quorum is killed."""
    processes.kill(drill, _quorum_leader(drill))
    drill.hold()


def cold_start(drill: Drill) -> None:
    """All of Kafka is killed at once, and starts anew."""
    pods = tuple(pod for one in drill.target.sets for pod in one.pods)
    delete(drill, *pods, at_once=True)
    drill.wait("no broker is ready", lambda: not any(drill.situation.pods_ready((pod,)) for pod in pods), 60)
    drill.wait("all are ready again", lambda: drill.situation.pods_ready(pods), _BACK_SECONDS)
    drill.hold()


def leader_can_be_signalled(drill: Drill) -> None:
    """Applies where a signal gets to a leader."""
    several_brokers(drill)
    processes.check(drill, drill.leader())


def controller_can_be_signalled(drill: Drill) -> None:
    """Applies where a signal gets to the leader of the quorum."""
    processes.check(drill, _quorum_leader(drill))


def _quorum_leader(drill: Drill) -> str:
    quorum = drill.situation.quorum
    if quorum is None or quorum.leader is None:
        raise NotApplicable("no leader of the metadata quorum is known (it may have none, or be ZooKeeper's).")
    return drill.target.pod_of(quorum.leader)


SCENARIOS = (
    Scenario(
        name="kill-leader",
        statement="The process of a partition's leader is killed (SIGKILL), and started again by the kubelet.",
        expectations=(*UNNOTICED, "leader-moved", "longest-gap=5", "quorum-kept=5"),
        perform=kill_leader,
        applies=leader_can_be_signalled,
    ),
    Scenario(
        name="freeze-leader",
        statement="The process of a partition's leader stands still (SIGSTOP), and goes on (SIGCONT).",
        expectations=(*UNNOTICED, "leader-moved", "longest-gap=5", "quorum-kept=5"),
        perform=freeze_leader,
        applies=leader_can_be_signalled,
    ),
    Scenario(
        name="kill-controller",
        statement="The process that leads the metadata quorum is killed (SIGKILL).",
        expectations=(*UNNOTICED, "longest-gap=5", "quorum-kept=5"),
        perform=kill_controller,
        applies=controller_can_be_signalled,
    ),
    Scenario(
        name="cold-start",
        statement="All of Kafka's pods are killed at once, and start anew from their disks.",
        expectations=ALWAYS,
        perform=cold_start,
    ),
)
