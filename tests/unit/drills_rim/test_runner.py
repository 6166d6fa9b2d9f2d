"""A drill's phases, and that it cleans up and judges whatever happens."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from drills import runner
from drills.drill import Drill, Options
from drills.errors import DrillError, NotApplicable, NotInTime, Refused
from drills.faults.drain import cordoned
from drills.load import LoadSettings
from drills.model import Acknowledged, Consumed, Event, Finding, Outcome, Phase, PodState, Read, ReadEnd
from drills.record import load as load_record
from drills.runner import Cluster, Result, Settings, expected
from drills.scenarios.scenario import Scenario
from tests.unit.drills_rim.cluster import TARGET, FakeKubernetes, FakeMachines, partition, whole
from tests.unit.drills_rim.test_lock import Leases

HELD = ("no-loss", "no-client-errors")


class FakeLoad:
    """Three records, all read back, unless `lost`."""

    made: ClassVar["list[FakeLoad]"] = []
    lost = False
    fails: str | None = None

    def __init__(self, kubernetes: Any, target: Any, settings: LoadSettings, node: str, situation: Any, take: Any):
        self.settings, self.topic, self.node, self._take = settings, "topic", node, take
        self.done: list[str] = []
        FakeLoad.made.append(self)

    def __enter__(self) -> "FakeLoad":
        return self

    def __exit__(self, *_: object) -> None:
        self.done.append("removed")

    def start(self) -> None:
        self._fail("start")
        for offset in range(3):
            self._take(Acknowledged(at=time.time(), partition=0, offset=offset, value=offset))
        self._take(Consumed(at=time.time(), partition=0, first=0, last=2))

    def stop(self) -> None:
        self._fail("stop")

    def audit(self) -> None:
        for offset in range(2 if FakeLoad.lost else 3):
            self._take(Read(at=time.time(), partition=0, offset=offset, value=offset))
        self._take(ReadEnd(at=time.time(), partition=0, end=2 if FakeLoad.lost else 3))
        for number in (1, 2):
            self._take(ReadEnd(at=time.time(), partition=number, end=0))

    def _fail(self, step: str) -> None:
        self.done.append(step)
        if FakeLoad.fails == step:
            raise NotInTime(f"{step} does not end")


class Bench:
    """Runs drills on a cluster of data."""

    def __init__(self, folder: Path) -> None:
        self.kubernetes, self.machines, self.folder = FakeKubernetes(), FakeMachines("na", "nb", "nc"), folder
        self.leases = Leases()
        self.settings = Settings(Options(hold=0.01), LoadSettings(), baseline=0.01, settle=0.2)

    def run(self, perform: Callable[[Drill], None], **scenario: Any) -> Result:
        api: Any = self.kubernetes
        drill = Scenario("test", "Something happens.", HELD, perform, **scenario)
        cluster = Cluster(api, TARGET, self.machines)
        return runner.run(cluster, drill, self.settings, self.folder, lambda *_: nullcontext())

    @property
    def events(self) -> list[Event]:
        return list(load_record(self.folder).events)

    @property
    def phases(self) -> list[str]:
        found = sorted((one for one in self.events if isinstance(one, Phase)), key=lambda one: one.at)
        return [one.name for one in found]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    @contextmanager
    def watching(kubernetes: Any, target: Any, take: Callable[[Event], None]) -> Iterator[None]:
        for event in whole(time.time()):
            take(event)
        yield

    found = Bench(tmp_path / "record")
    monkeypatch.setattr(runner, "Watching", watching)
    monkeypatch.setattr(runner, "Load", FakeLoad)
    monkeypatch.setattr(runner, "ClusterLeases", lambda kubernetes: found.leases)
    monkeypatch.setattr(runner, "_STEADY_SECONDS", 0.0)
    monkeypatch.setattr(runner, "_SEEN_SECONDS", 0.2)
    FakeLoad.made, FakeLoad.lost, FakeLoad.fails = [], False, None
    yield found
    assert found.leases.held is None, "the lock is given back"
    assert not FakeLoad.made or FakeLoad.made[-1].done[-1] == "removed"


ALL = ["load", "fault", "heal", "settle", "audit", "end"]


def fault(drill: Drill) -> None:
    drill.start(cordoned(drill, "na"))


def healed(bench: Bench) -> bool:
    return bench.kubernetes.done[-1] == ("cordon", "na", False)


def told(result: Result) -> dict[str, tuple[Outcome, str]]:
    return {one.check: (one.outcome, one.detail) for one in result.findings}


def test_a_drill_goes_through_its_phases_and_passes(bench: Bench) -> None:
    result = bench.run(fault)
    assert result.outcome is Outcome.PASS, result.findings
    assert bench.phases == ALL
    assert healed(bench)
    assert (bench.folder / "report.html").exists()
    about = load_record(bench.folder).about
    assert (about.zones, about.min_isr, about.replication_factor) == ({0: "a", 1: "b", 2: "c"}, 2, 3)
    assert about.client.splitlines() == ["enable.idempotence=true", "retries=2147483647"]
    assert FakeLoad.made[0].node == "server"


def test_a_lost_record_fails_it(bench: Bench) -> None:
    FakeLoad.lost = True
    assert bench.run(fault).outcome is Outcome.FAIL


def test_rounds_are_healed_one_by_one(bench: Bench) -> None:
    bench.settings = replace(bench.settings, options=Options(hold=0.01, rounds=3, seed=7))
    bench.run(fault, rounds=5)
    assert bench.phases == ["load", *["fault", "heal", "settle"] * 3, "audit", "end"]
    assert len(bench.kubernetes.done) == 6
    assert load_record(bench.folder).about.seed == 7


def test_a_fault_that_fails_is_healed_and_the_records_are_audited(bench: Bench) -> None:
    def perform(drill: Drill) -> None:
        fault(drill)
        raise DrillError("the drain is refused")

    result = bench.run(perform)
    assert bench.phases == ALL
    assert healed(bench)
    assert result.outcome is Outcome.UNKNOWN
    assert told(result)["the fault is carried out"] == (Outcome.UNKNOWN, "the drain is refused")


def test_what_does_not_apply_touches_nothing(bench: Bench) -> None:
    def applies(drill: Drill) -> None:
        raise NotApplicable("there is only one broker: nothing takes over.")

    result = bench.run(fault, applies=applies)
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert [one.detail for one in result.findings] == ["there is only one broker: nothing takes over."]
    assert not bench.kubernetes.done
    assert bench.phases == []


def test_a_cluster_that_does_not_settle_fails_it_and_what_is_missing_is_said(bench: Bench) -> None:
    def perform(drill: Drill) -> None:
        fault(drill)
        drill.take(partition(1, 1, (1,), time.time()))
        drill.take(whole(time.time())[0].model_copy(update={"ready": False}))

    result = bench.run(perform)
    assert bench.phases == ALL, "the records are audited all the same"
    outcome, detail = told(result)["the cluster settles"]
    assert outcome is Outcome.FAIL
    assert "kafka-0 is not ready" in detail
    assert "not every replica is in sync" in detail


def test_ctrl_c_heals_and_is_told(bench: Bench) -> None:
    def perform(drill: Drill) -> None:
        fault(drill)
        os.kill(os.getpid(), signal.SIGINT)

    result = bench.run(perform)
    assert result.interrupted
    assert healed(bench)
    assert result.outcome is Outcome.UNKNOWN
    assert bench.phases == ["load", "fault"]
    assert "interrupted by SIGINT" in told(result)["the drill comes to its end"][1]


def test_ctrl_c_while_it_heals_is_heeded_when_that_is_done(bench: Bench) -> None:
    healing = []

    @contextmanager
    def slow(drill: Drill) -> Iterator[None]:
        try:
            yield
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            healing.append("done")

    def perform(drill: Drill) -> None:
        fault(drill)
        drill.start(slow(drill))

    result = bench.run(perform)
    assert result.interrupted
    assert healing == ["done"]
    assert healed(bench)


def test_ctrl_c_while_the_load_is_removed_is_heeded_after_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def removed(load: FakeLoad, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        load.done.append("removed")

    monkeypatch.setattr(FakeLoad, "__exit__", removed)
    result = bench.run(fault)
    assert result.interrupted
    assert (bench.folder / "report.html").exists()


@pytest.mark.parametrize("step", ["start", "stop"])
def test_a_load_that_fails_leaves_a_record_that_passes_nothing(bench: Bench, step: str) -> None:
    FakeLoad.fails = step
    result = bench.run(fault)
    assert result.outcome is Outcome.UNKNOWN
    assert told(result)["the drill comes to its end"][1] == f"{step} does not end"


def test_a_bug_in_a_drill_heals_too(bench: Bench) -> None:
    def perform(drill: Drill) -> None:
        fault(drill)
        raise KeyError("bug")

    with pytest.raises(KeyError):
        bench.run(perform)
    assert healed(bench)


def test_an_unhealthy_cluster_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def watching(kubernetes: Any, target: Any, take: Callable[[Event], None]) -> Iterator[None]:
        for event in whole(time.time()):
            take(event.model_copy(update={"ready": False}) if isinstance(event, PodState) else event)
        yield

    monkeypatch.setattr(runner, "Watching", watching)
    with pytest.raises(Refused, match="kafka-0, kafka-1, kafka-2: not ready within"):
        bench.run(fault)
    assert not bench.folder.exists()


def test_a_second_drill_is_refused(bench: Bench) -> None:
    def perform(drill: Drill) -> None:
        other = Bench(bench.folder.parent / "other")
        with pytest.raises(Refused, match="a drill runs on this cluster already"):
            other.run(fault)

    assert bench.run(perform).outcome is Outcome.PASS


def test_the_scenarios_own_client_settings_are_over_the_users(bench: Bench) -> None:
    bench.settings = replace(bench.settings, load=LoadSettings(properties="acks=all\nretries=9\n"))
    bench.run(fault, properties={"retries": "2"})
    assert "retries=2" in FakeLoad.made[0].settings.properties
    assert "acks=all" in FakeLoad.made[0].settings.properties


def test_expectations_are_replaced_by_name() -> None:
    assert expected(("no-loss", "longest-gap=0.3"), ("longest-gap=6", "min-isr-kept")) == (
        "no-loss",
        "longest-gap=6",
        "min-isr-kept",
    )


def test_findings_are_the_same_when_judged_again(bench: Bench) -> None:
    result = bench.run(fault)
    assert isinstance(result.findings[0], Finding)
    assert load_record(bench.folder).findings == result.findings
