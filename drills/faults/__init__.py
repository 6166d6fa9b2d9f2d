"""What is done to a cluster. Each fault is a context manager that takes the drill: it begins on entering, is undone on
leaving whatever happened, and undoing it twice does no harm.
"""

from collections.abc import Callable

from drills.drill import Drill
from drills.errors import DrillError


def undo(drill: Drill, what: str, step: Callable[[], object]) -> None:
    """A step of undoing, which keeps no other step from being done: its failure is said."""
    try:
        step()
    except DrillError as error:
        drill.say(f"could not be undone: {what} ({error})")
