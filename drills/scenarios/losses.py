"""Nodes and zones are lost."""

from drills.drill import Drill
from drills.errors import DrillError, NotApplicable
from drills.faults import network
from drills.faults.nodes import gone, lost
from drills.placing import touchable_zones
from drills.recover import Recovery
from drills.scenarios.scenario import ALWAYS, UNNOTICED, Scenario, spare_leader

_NOTICED_SECONDS = 120.0


def node_loss(drill: Drill) -> None:
    """The node of a leader is gone with its disks; the broker is recovered on a new one."""
    pod = drill.leader_on_a_spare_node()
    broker = drill.target.set_of(pod)
    number = broker.id_of(pod) if broker else None

    def recover(_: str) -> None:
        Recovery(drill.kubernetes, drill.target, drill.say).run(number or 0, gone=True)

    drill.start(gone(drill, drill.node_of(pod), recover))
    drill.wait(f"Kubernetes sees {pod} not ready", lambda: not _ready(drill, pod), _NOTICED_SECONDS)
    _refused_meanwhile(drill, pod)
    drill.hold()


def _refused_meanwhile(drill: Drill, lost_pod: str) -> None:
    """Another broker is asked to leave once: a budget must refuse it."""
    if drill.situation.budgets:
        # A budget counts a pod that has become unready a moment later.
        drill.wait("the budget allows nothing", lambda: _nothing_allowed(drill), _NOTICED_SECONDS)
        other = next(pod for pod in map(drill.target.pod_of, drill.target.brokers) if pod != lost_pod)
        if drill.evict(drill.target.namespace, other).granted:
            raise DrillError(f"{other} was let go while {lost_pod} is lost.")
        drill.say(f"the eviction of {other} is refused")


def _nothing_allowed(drill: Drill) -> bool:
    return any(budget.allowed == 0 for budget in drill.situation.budgets.values())


def _ready(drill: Drill, pod: str) -> bool:
    state = drill.situation.pods.get(pod)
    return state is not None and state.ready


def zone_loss(drill: Drill) -> None:
    """All nodes of a zone are off for a while."""
    zone = _zone(drill)
    nodes = [name for name, node in drill.situation.nodes.items() if node.zone == zone]
    drill.say(f"zone {zone} is lost")
    drill.start(lost(drill, *nodes))
    drill.hold()


def partition(drill: Drill) -> None:
    """A leader is cut off for a while."""
    drill.start(network.cut_off(drill, drill.leader_on_a_spare_node()))
    drill.hold()


def reachable(drill: Drill) -> None:
    """Applies where the node of a leader can be killed from here."""
    spare_leader(drill)
    drill.machines.check(drill.node_of(drill.leader_on_a_spare_node()))


def zone_reachable(drill: Drill) -> None:
    """Applies where a zone with a broker can be killed from here."""
    zone = _zone(drill)
    for name, node in drill.situation.nodes.items():
        if node.zone == zone:
            drill.machines.check(name)


def can_be_cut_off(drill: Drill) -> None:
    """Applies where a leader's node can drop its packets."""
    spare_leader(drill)
    network.check(drill, drill.leader_on_a_spare_node())


def _zone(drill: Drill) -> str:
    """The zone of a leader, without the drill's own pod. Raises NotApplicable when there is none."""
    zones = {name: node.zone for name, node in drill.situation.nodes.items()}
    spare = touchable_zones(zones, drill.load_node)
    for leader in drill.leaders():
        if (zone := zones.get(drill.node_of(drill.target.pod_of(leader)), "")) in spare:
            return zone
    raise NotApplicable("no zone can be lost: the leaders' nodes have none, or the drill's own pod has to run there.")


SCENARIOS = (
    Scenario(
        name="node-loss",
        statement=(
            "The node of a partition's leader is lost for good, with its disk; a new node takes its place, and the "
            "broker is recovered on it."
        ),
        expectations=(*UNNOTICED, "leader-moved", "longest-gap=5", "quorum-kept=5"),
        perform=node_loss,
        applies=reachable,
    ),
    Scenario(
        name="zone-loss",
        statement="All nodes of a zone with a partition's leader lose their power, and get it back.",
        expectations=(*UNNOTICED, "leader-moved", "longest-gap=5", "quorum-kept=5"),
        perform=zone_loss,
        applies=zone_reachable,
    ),
    Scenario(
        name="partition",
        statement="A partition's leader is cut off from all others and from clients, and connected again.",
        expectations=(*ALWAYS, "no-client-errors", "leader-moved", "longest-gap=5", "quorum-kept=5"),
        perform=partition,
        applies=can_be_cut_off,
    ),
)
