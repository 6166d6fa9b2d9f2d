"""All drills. A new one is a `Scenario` in one of these files, or in a new one that is added here."""

import difflib

from drills.errors import Refused
from drills.scenarios import crashes, losses, maintenance, rolls, rounds, storage
from drills.scenarios.scenario import Scenario

CATALOG: dict[str, Scenario] = {
    scenario.name: scenario
    for module in (maintenance, losses, crashes, rolls, storage, rounds)
    for scenario in module.SCENARIOS
}
"""By name, in the order in which `run all` runs them."""


def chosen(names: list[str], *, force: bool) -> list[Scenario]:
    """The drills of those names; `all` are all. Raises Refused. `force`: two nodes are drained by force."""
    if names == ["all"]:
        names = [name for name in CATALOG if name != "drain-two-force" or force]
    elif force:
        names = [f"{name}-force" if f"{name}-force" in CATALOG else name for name in names]
    for name in names:
        if name not in CATALOG:
            close = difflib.get_close_matches(name, CATALOG, n=1)
            meant = f" Did you mean {close[0]}?" if close else ""
            raise Refused(f"there is no drill {name}; there are {', '.join(CATALOG)}, and all.{meant}")
    return [CATALOG[name] for name in names]
