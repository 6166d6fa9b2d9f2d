"""From objects to what is told of them: verdicts, with what each one does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from policies.configuration import Configuration, Exemption, Level
from policies.manifest import Manifest
from policies.reading import each
from policies.rules import ClusterFacts, Outcome, Severity, Verdict, examine
from policies.world import World


@dataclass(frozen=True)
class Told:
    """A verdict on a cluster, and what it does. `exemption` says why it does nothing."""

    verdict: Verdict
    level: Level
    subjects: tuple[str, ...]
    exemption: Exemption | None = None


def tell(world: World, configuration: Configuration, today: date, only: Manifest | None = None) -> Iterator[Told]:
    """Everything that is to be told of the clusters among the objects; `only`: of the cluster of that object.

    What can't be read for a reason that nobody thought of is told as undecided: it never passes as safe.
    """
    clusters = each(world, only)
    while True:
        try:
            facts = next(clusters, None)
        except Exception as error:
            yield Told(_unreadable(only.path if only else "the resources", error), configuration.undecided, ())
            return
        if facts is None:
            return
        try:
            verdicts = examine(facts, configuration.limits)
        except Exception as error:
            yield Told(_unreadable(facts.path, error), configuration.undecided, facts.subjects)
            continue
        yield from _weigh(facts, verdicts, configuration, today)


def _weigh(facts: ClusterFacts, verdicts: list[Verdict], configuration: Configuration, today: date) -> Iterator[Told]:
    for verdict in verdicts:
        exemption = configuration.exempted(facts, verdict.rule, today)
        level = Level.DISABLED if exemption else configuration.level(verdict)
        yield Told(verdict, level, facts.subjects, exemption)


def _unreadable(path: str, error: Exception) -> Verdict:
    # The error's own text may hold a value, and a value may be a secret.
    found = f"the rules could not read it ({type(error).__name__})"
    why = "what could not be judged is not safe; this is a fault of the pack, please report it"
    return Verdict("readable", Severity.ERROR, path, found, "", why, "", Outcome.UNDECIDED)
