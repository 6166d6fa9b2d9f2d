"""Every node of Kafka is replaced, one after the other."""

from drills.drill import Drill
from drills.errors import NotApplicable
from drills.faults import rollouts
from drills.scenarios.scenario import UNNOTICED, Scenario, several_brokers

_EXPECTED = (*UNNOTICED, "leader-moved", "longest-gap=2", "quorum-kept=5")


def rolling_restart(drill: Drill) -> None:
    """The StatefulSets are restarted."""
    rollouts.restart(drill)


def rolling_upgrade(drill: Drill) -> None:
    """Kafka's image is changed, and later changed back."""
    drill.start(rollouts.upgraded(drill, drill.options.upgrade_image or ""))
    drill.hold()


def rolls(drill: Drill) -> None:
    """Applies where the StatefulSets roll by themselves."""
    several_brokers(drill)
    rollouts.check(drill)


def has_an_image(drill: Drill) -> None:
    """Applies where an image to upgrade to is given."""
    rolls(drill)
    image = drill.options.upgrade_image
    if not image or image == drill.target.image:
        raise NotApplicable(
            f"no other image is given (Kafka runs {drill.target.image}); name one: --upgrade-image apache/kafka:…"
        )


SCENARIOS = (
    Scenario(
        name="rolling-restart",
        statement="Every node of Kafka is restarted, one after the other, as a changed setting does.",
        expectations=_EXPECTED,
        perform=rolling_restart,
        applies=rolls,
    ),
    Scenario(
        name="rolling-upgrade",
        statement="Kafka's image is changed, which rolls every node, and then changed back.",
        expectations=_EXPECTED,
        perform=rolling_upgrade,
        applies=has_an_image,
    ),
)
