"""What a drill is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drills.drill import Drill
from drills.errors import NotApplicable

RECORDS = ("no-loss", "no-false-acknowledgement", "order-kept", "no-duplicates", "consumer-goes-on")
"""What must hold of records in every drill."""
ALWAYS = (*RECORDS, "isr-whole-again")
"""What must hold in every drill."""
UNNOTICED = (*ALWAYS, "no-client-errors", "min-isr-kept")
"""What must hold when no more is lost at a time than is tolerated."""


def anywhere(drill: Drill) -> None:
    """Applies to every Kafka."""


@dataclass(frozen=True)
class Scenario:
    """A drill, as it stands in the catalogue."""

    name: str
    statement: str
    """What happens, a sentence."""
    expectations: tuple[str, ...]
    """What must hold: names of `drills.checks`, some with a limit in seconds."""
    perform: Callable[[Drill], None]
    """Starts the faults, by `drill.start`, and returns when it is time to undo them, which is done then."""
    applies: Callable[[Drill], None] = anywhere
    """Raises NotApplicable, with the reason, where it can't be performed; nothing is touched."""
    rounds: int = 1
    """How often it is performed."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """Of the clients, over those that are given."""


def several_brokers(drill: Drill) -> None:
    """Applies where another broker can take over."""
    if len(drill.target.brokers) < 2:
        raise NotApplicable("there is only one broker: nothing takes over.")


def spare_leader(drill: Drill) -> None:
    """Applies where a leader's node is not the one with the drill's own pod."""
    several_brokers(drill)
    drill.leader_on_a_spare_node()
