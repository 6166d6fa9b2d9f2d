"""Runs one drill: load → fault → heal → settle → audit → end. Sole owner of the cluster and of the clock meanwhile;
whatever happens, faults are undone, the load is removed, and what was recorded is judged.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from drills.drill import Drill, Options
from drills.errors import DrillError, Interrupted, NotApplicable, Refused
from drills.interrupts import Interrupts
from drills.kubernetes import Kubernetes
from drills.load import Load, LoadSettings
from drills.lock import ClusterLeases, Lock
from drills.machines import Machines
from drills.model import About, Event, Finding, Note, Outcome, Phase, Trouble
from drills.placing import place
from drills.pods.manifests import properties
from drills.record import ABOUT, Recorder
from drills.record import load as load_record
from drills.report import write_report
from drills.scenarios.scenario import Scenario
from drills.situation import Situation
from drills.target import Target
from drills.watching import Watching

_SEEN_SECONDS = 30.0
_STEADY_SECONDS = 10.0  # of all as before: what is just lost still looks whole to Kafka (9 s) and to Kubernetes


@dataclass(frozen=True)
class Settings:
    """What is asked of every drill of a run."""

    options: Options = field(default_factory=Options)
    load: LoadSettings = field(default_factory=LoadSettings)
    baseline: float = 5.0
    """Seconds of undisturbed load before the fault."""
    settle: float = 600.0
    """Seconds within which all must be as before, to stay so."""
    expect: tuple[str, ...] = ()
    """Expectations over those of the same name in the catalogue, such as `longest-gap=1`."""


@dataclass(frozen=True)
class Result:
    """How a drill ended."""

    scenario: Scenario
    outcome: Outcome
    findings: tuple[Finding, ...]
    folder: Path
    interrupted: bool = False


@dataclass(frozen=True)
class Cluster:
    """What is drilled, and with what hands."""

    kubernetes: Kubernetes
    target: Target
    machines: Machines


Show = Callable[[Scenario, Situation], AbstractContextManager[object]]
"""Shows how things stand while a drill runs."""


class Sink:
    """Takes events from all threads: to the situation at once, to the record as soon as there is one."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._lock = threading.Lock()
        self._waiting: list[Event] = []
        self._recorder: Recorder | None = None

    def take(self, event: Event) -> None:
        """One more."""
        with self._lock:
            if self._recorder:
                self._recorder.add(event)
            else:
                self._waiting.append(event)
        self._situation.take(event)

    @contextmanager
    def recorded(self, recorder: Recorder) -> Iterator[None]:
        """Everything goes to that record, what came before too; what comes after it is no part of it."""
        with self._lock:
            recorder.extend(self._waiting)
            self._waiting, self._recorder = [], recorder
        try:
            yield
        finally:
            with self._lock:
                self._recorder = None


def run(cluster: Cluster, scenario: Scenario, settings: Settings, folder: Path, show: Show) -> Result:
    """Runs it; the record is in the folder then. Raises Refused when it must not begin, DrillError when it could not.

    Nothing is raised once there is a record: what went wrong is in its findings.
    """
    situation = Situation()
    sink = Sink(situation)

    def say(text: str) -> None:
        sink.take(Note(at=time.time(), text=text))

    with (
        Interrupts(say) as interrupts,
        Lock(ClusterLeases(cluster.kubernetes), scenario.name, interrupts.request),
        show(scenario, situation),
    ):
        return _Run(cluster, scenario, settings, folder, situation, sink, interrupts).run()


class _Run:
    """One drill, under its lock."""

    def __init__(
        self,
        cluster: Cluster,
        scenario: Scenario,
        settings: Settings,
        folder: Path,
        situation: Situation,
        sink: Sink,
        interrupts: Interrupts,
    ) -> None:
        self._cluster, self._scenario, self._settings, self._folder = cluster, scenario, settings, folder
        self._situation, self._sink, self._interrupts = situation, sink, interrupts
        self._interrupted = False
        options = settings.options
        rounds = scenario.rounds if scenario.rounds == 1 else options.rounds or scenario.rounds
        self._rounds = rounds
        self._drill = Drill(
            cluster.kubernetes,
            cluster.target,
            cluster.machines,
            situation,
            sink.take,
            options,
            at_random=scenario.rounds > 1,
        )

    def run(self) -> Result:
        try:
            self._run()
        except Interrupted:  # while the load was removed
            if not (self._folder / ABOUT).exists():
                raise
            self._interrupted = True
        outcome = write_report(self._folder)
        return Result(self._scenario, outcome, load_record(self._folder).findings, self._folder, self._interrupted)

    def _run(self) -> None:
        cluster = self._cluster
        with ExitStack() as stack:
            stack.enter_context(Watching(cluster.kubernetes, cluster.target, self._sink.take))
            self._check_health()
            self._drill.load_node = place(cluster.kubernetes.nodes(), frozenset(self._kafka_nodes()))
            load = Load(
                cluster.kubernetes,
                cluster.target,
                self._load_settings(),
                self._drill.load_node,
                self._situation,
                self._sink.take,
            )
            stack.enter_context(self._removed_undisturbed(load))
            recorder = stack.enter_context(Recorder(self._folder, self._about(load)))
            with self._sink.recorded(recorder):
                self._recorded(load)

    @contextmanager
    def _removed_undisturbed(self, load: Load) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(load)
            try:
                yield
            finally:
                with self._interrupts.deferred():
                    stack.close()

    def _recorded(self, load: Load) -> None:
        """What happens once there is a record: nothing is raised."""
        try:
            try:
                self._scenario.applies(self._drill)
                self._phases(load)
            finally:
                self._heal()
        except NotApplicable as reason:
            self._troubled("the drill applies", Outcome.NOT_APPLICABLE, str(reason))
        except Interrupted as reason:
            self._interrupted = True
            self._troubled("the drill comes to its end", Outcome.UNKNOWN, f"interrupted {reason}")
        except DrillError as error:
            self._troubled("the drill comes to its end", Outcome.UNKNOWN, str(error))

    def _phases(self, load: Load) -> None:
        self._phase("load")
        load.start()
        self._drill.hold(self._settings.baseline)
        for number in range(1, self._rounds + 1):
            if not self._round(f"round {number} of {self._rounds}" if self._rounds > 1 else ""):
                break
        self._phase("audit")
        load.stop()
        load.audit()
        self._phase("end")

    def _round(self, detail: str) -> bool:
        """Fault, heal and settle. Whether all is as before."""
        self._phase("fault", detail)
        try:
            self._scenario.perform(self._drill)
        except NotApplicable:
            raise
        except DrillError as error:
            self._troubled("the fault is carried out", Outcome.UNKNOWN, str(error))
        self._phase("heal", detail)
        self._heal()
        self._phase("settle", detail)
        if not self._situation.wait(self._is_settled, self._settings.settle, _STEADY_SECONDS):
            trouble = f"not as before within {self._settings.settle:.0f} s: {', '.join(self._unsettled())}"
            self._troubled("the cluster settles", Outcome.FAIL, trouble)
            return False
        return True

    def _heal(self) -> None:
        with self._interrupts.deferred():
            self._drill.heal()

    def _check_health(self) -> None:
        """Raises Refused unless all of Kafka's pods are ready."""
        pods = [pod for one in self._cluster.target.sets for pod in one.pods]
        ready = self._situation.wait(
            lambda: bool(self._situation.nodes) and self._situation.pods_ready(tuple(pods)), _SEEN_SECONDS
        )
        if not ready:
            unready = [pod for pod in pods if not self._situation.pods_ready((pod,))]
            raise Refused(
                f"{', '.join(unready) or 'the nodes'}: not ready within {_SEEN_SECONDS:.0f} s. A drill begins from a "
                "healthy cluster: mend it first."
            )
        self._before = self._usable_nodes()

    def _usable_nodes(self) -> dict[str, int]:
        """How many nodes of each zone take pods: one that is gone may be replaced by one of another name."""
        usable: dict[str, int] = {}
        for node in self._situation.nodes.values():
            if node.ready and node.schedulable:
                usable[node.zone] = usable.get(node.zone, 0) + 1
        return usable

    def _is_settled(self) -> bool:
        return not self._unsettled()

    def _unsettled(self) -> list[str]:
        """What is not as it was before the drill, in words."""
        situation, target = self._situation, self._cluster.target
        found = [f"{pod} is not ready" for one in target.sets for pod in one.pods if not situation.pods_ready((pod,))]
        if not situation.full_isr:
            found.append("not every replica is in sync")
        if any(self._usable_nodes().get(zone, 0) < count for zone, count in self._before.items()):
            found.append("fewer nodes are ready and schedulable")
        if situation.quorum is not None and situation.quorum.leader is None:
            found.append("the quorum has no leader")
        return found

    def _kafka_nodes(self) -> Iterator[str]:
        return (pod.node for pod in self._situation.pods.values())

    def _load_settings(self) -> LoadSettings:
        asked = self._settings.load
        own = "".join(f"{key}={value}\n" for key, value in self._scenario.properties.items())
        return replace(asked, properties=properties(asked.properties + "\n" + own))

    def _about(self, load: Load) -> About:
        target, situation = self._cluster.target, self._situation
        first = situation.partitions[0]
        zones = {
            pod.broker: self._drill.zone_of(pod.node) for pod in situation.pods.values() if pod.broker in target.brokers
        }
        return About(
            drill=self._scenario.name,
            statement=self._scenario.statement,
            began=time.time(),
            context=target.context,
            namespace=target.namespace,
            image=target.image,
            kubernetes=self._cluster.kubernetes.version(),
            brokers=target.brokers,
            zones=zones,
            topic=load.topic,
            partitions=len(situation.partitions),
            replication_factor=len(first.replicas),
            min_isr=first.min_isr,
            rate=load.settings.rate,
            client=load.settings.properties,
            expectations=expected(self._scenario.expectations, self._settings.expect),
            seed=self._settings.options.seed if self._scenario.rounds > 1 else None,
        )

    def _troubled(self, check: str, outcome: Outcome, detail: str) -> None:
        self._sink.take(Trouble(at=time.time(), check=check, outcome=outcome, detail=detail))

    def _phase(self, name: str, detail: str = "") -> None:
        # validated: one of Phase's names
        self._sink.take(Phase.model_validate({"at": time.time(), "name": name, "detail": detail}))


def expected(catalogue: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    """The catalogue's expectations, those that were asked for in place of those of the same name, or added."""
    over = {one.partition("=")[0]: one for one in asked}
    found = [over.pop(one.partition("=")[0], one) for one in catalogue]
    return (*found, *over.values())
