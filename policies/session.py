"""What a run of the engine has shown so far. Resource policies show inputs one by one; the stack policies come
last and judge what was shown then, because outputs are empty on a first preview.
"""

from datetime import date
from threading import Lock

from policies.configuration import BadConfiguration, Configuration, Level, expired, parse
from policies.judgement import Told, tell
from policies.manifest import Manifest
from policies.readers.program import COMPONENTS
from policies.reading import KINDS, MAIN_KINDS
from policies.rules import Outcome
from policies.world import World


class Session:
    """One run: the objects shown, by the cluster that they go to, and what has been told of them."""

    def __init__(self, today: date | None = None) -> None:
        self._lock = Lock()
        self.today = today or date.today()
        self._configuration = Configuration()
        self._problem = ""
        self._given: object = None
        self._begin()

    def _begin(self) -> None:
        self._objects: dict[str, tuple[str, Manifest]] = {}
        self._worlds: dict[str, World] = {}
        self._told: set[tuple[str, str, str, str]] = set()
        self._waiting: dict[str, list[tuple[Level, str]]] = {}
        self._ended = False

    @property
    def configuration(self) -> Configuration:
        """What is set."""
        with self._lock:
            return self._configuration

    def foresee(self, configuration: Configuration) -> None:
        """Takes the configuration of the whole file: remedies come before the policy that carries it."""
        with self._lock:
            self._configuration = configuration

    def configure(self, given: dict[str, object]) -> None:
        """Takes the configuration; one that can't be used is told with every resource, and stops the run."""
        with self._lock:
            if given == self._given:
                return
            self._given = given
            try:
                self._configuration, self._problem = parse(given), ""
            except BadConfiguration as bad:
                self._problem = f"the configuration of the policy pack can't be used: {bad}"

    def show(self, urn: str, home: str, one: Manifest | None) -> None:
        """One resource's inputs, judged as far as they go alone and with what was shown before."""
        with self._lock:
            if self._ended:  # the resources of another run
                self._begin()
            self._waiting[urn] = []
            if self._problem:
                self._waiting[urn].append((Level.MANDATORY, self._problem))
            if one is None or (one.group, one.kind) not in KINDS or self._problem:
                return
            if urn in self._objects:  # shown twice, as when it is replaced: it is one object all the same
                self._worlds = {}
            self._objects[urn] = (home, one)
            for at, world in self._worlds.items():
                if at == home or one.group == COMPONENTS:
                    world.add(one)
            if (one.group, one.kind) in MAIN_KINDS:
                self._judge(self._world(home), urn, one)

    def shown(self, urn: str) -> bool:
        """Whether this run has shown the resource."""
        with self._lock:
            return urn in self._waiting and not self._ended

    def end(self, others: list[tuple[str, str, Manifest]]) -> list[tuple[Level, str, str]]:
        """Everything that is left to tell once all resources were shown: level, message and resource.

        `others` are resources that only the stack shows, such as those that are read and not made.
        """
        with self._lock:
            self._ended = True
            if self._problem:
                return [(Level.MANDATORY, self._problem, "")]
            for urn, home, one in others:
                if urn not in self._objects and (one.group, one.kind) in KINDS:
                    self._objects[urn] = (home, one)
            answers = [(Level.ADVISORY, sentence, "") for sentence in expired(self._configuration, self.today)]
            homes = sorted({home for home, one in self._objects.values() if (one.group, one.kind) in MAIN_KINDS})
            for home in homes:
                world = World((one for at, one in self._objects.values() if at == home or one.group == COMPONENTS))
                for told in tell(world, self._configuration, self.today):
                    if self._new(told, home):
                        subject = next(iter(told.subjects), "")
                        answers.append((told.level, str(told.verdict), subject))
            return answers

    def waiting(self, urn: str, level: Level) -> list[str]:
        """What is to be told of a resource at a level."""
        with self._lock:
            return [message for at, message in self._waiting.get(urn, ()) if at is level]

    def _judge(self, world: World, urn: str, one: Manifest) -> None:
        for told in tell(world, self._configuration, self.today, one):
            # What is undecided now may be decided once all is shown.
            if told.verdict.outcome is Outcome.FAIL and self._new(told, self._objects[urn][0]):
                self._waiting[urn].append((told.level, str(told.verdict)))

    def _new(self, told: Told, home: str) -> bool:
        key = (home, told.verdict.rule, told.verdict.path, told.verdict.found)
        if key in self._told or told.level is Level.DISABLED:
            return False
        self._told.add(key)
        return True

    def _world(self, home: str) -> World:
        if home not in self._worlds:
            mine = [one for at, one in self._objects.values() if at == home or one.group == COMPONENTS]
            self._worlds[home] = World(mine, complete=False)
        return self._worlds[home]
