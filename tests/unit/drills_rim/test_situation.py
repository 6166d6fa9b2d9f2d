"""What the events so far add up to, and how it is shown."""

import io

import pytest
from rich.console import Console

from drills.clock import best
from drills.model import Acknowledged, Consumed, Finding, Note, Outcome, Phase, SendFailed
from drills.scenarios.maintenance import SCENARIOS
from drills.situation import Situation
from drills.terminal import Terminal, _View, figures, partitions
from tests.unit.drills_rim.cluster import partition, whole


def acknowledged(at: float, number: int = 0, offset: int = 0) -> Acknowledged:
    return Acknowledged(at=at, partition=number, offset=offset, value=0)


def loaded() -> Situation:
    found = Situation()
    for event in (*whole(), Phase(at=0, name="load"), *(acknowledged(0.1 * n, 0, n) for n in range(20))):
        found.take(event)
    return found


def test_gaps_count_from_the_fault_on() -> None:
    found = Situation()
    for event in (
        acknowledged(1.0),
        acknowledged(5.0),
        Phase(at=6.0, name="fault"),
        acknowledged(7.5),
        acknowledged(7.6),
    ):
        found.take(event)
    assert found.longest_gaps == {0: pytest.approx(2.5)}


def test_rate_and_ends() -> None:
    found = loaded()
    found.take(Consumed(at=2, partition=0, first=0, last=7))
    found.take(SendFailed(at=2, value=1, error="TimeoutException"))
    assert found.rate(1.9) == pytest.approx(10)
    assert (found.ends, found.consumed, found.acknowledged) == ({0: 20}, {0: 8}, 20)
    assert found.errors == {"TimeoutException": 1}


def test_when_the_isr_is_whole() -> None:
    found = loaded()
    assert found.full_isr
    found.take(partition(1, 1, (0, 1)))
    assert not found.full_isr
    found.take(partition(1, None, (0, 1, 2)))
    assert not found.full_isr
    assert not Situation().full_isr, "nothing is known"


def test_waiting_ends() -> None:
    assert not Situation().wait(lambda: False, 0.01)
    assert Situation().wait(lambda: True, 0)


def drawn(thing: object) -> str:
    console = Console(file=io.StringIO(), width=140, force_terminal=False)
    console.print(thing)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_table_shows_leader_and_isr() -> None:
    found = loaded()
    found.take(partition(2, None, ()))
    out = drawn(partitions(found, 2.0))
    assert "0, 1, 2" in out
    assert "none" in out
    assert "0.10 s" in out
    found.take(Phase(at=2.0, name="fault", detail="round 1 of 2"))
    found.take(Note(at=2.0, text="drain na"))
    whole_view = drawn(_View(found))
    assert "fault round 1 of 2" in whole_view
    assert "drain na" in whole_view


def test_a_gap_that_lasts_is_shown() -> None:
    found = loaded()
    found.take(Phase(at=2.0, name="fault"))
    assert "longest gap 8.10 s" in figures(found, 10.0)
    assert "3 of 3 pods ready" in figures(found, 10.0)


def test_without_a_terminal_there_are_plain_lines() -> None:
    console = Console(file=io.StringIO(), width=200)
    found = loaded()
    with Terminal(console).show(SCENARIOS[0], found):
        found.take(Note(at=3.0, text="drain [na]"))
    out = console.file.getvalue()  # type: ignore[attr-defined]
    assert "drain-leader: The node of a partition's leader" in out
    assert "drain [na]" in out


def test_findings_are_shown() -> None:
    console = Console(file=io.StringIO(), width=200)
    Terminal(console).findings(
        (Finding(check="no acknowledged record is lost", outcome=Outcome.FAIL, detail="3 lost"),)
    )
    assert "fail" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        pytest.param([(10.0, 10.01, 10.02)], 0.0, id="the same clock"),
        pytest.param([(10.0, 15.01, 10.02)], 5.0, id="ahead"),
        pytest.param([(10.0, 7.0, 10.4), (11.0, 8.01, 11.02), (12.0, 9.3, 12.4)], -3.0, id="the quickest answer"),
    ],
)
def test_the_clock_of_the_pod(answers: list[tuple[float, float, float]], seconds: float) -> None:
    assert best(answers).seconds == pytest.approx(seconds)
