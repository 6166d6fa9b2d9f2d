"""Waiting for how things stand, by a clock that only sleeping moves."""

import itertools

import pytest

from drills import situation
from drills.situation import Situation
from tests.unit.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.now = 100.0
    monkeypatch.setattr(situation, "time", clock)
    return clock


def test_what_holds_is_not_waited_for(clock: Clock) -> None:
    assert Situation().wait(lambda: True, 60)
    assert clock.now == 100


def test_what_looks_whole_for_a_moment_is_not_settled(clock: Clock) -> None:
    """A node that is off and on again within 2 s: Kubernetes and Kafka tell of it only 3 s later."""
    assert Situation().wait(lambda: not 103 <= clock.now < 120, 60, steady=10)
    assert clock.now == pytest.approx(130, abs=0.2)


def test_the_stretch_may_end_after_the_deadline(clock: Clock) -> None:
    assert Situation().wait(lambda: clock.now >= 155, 60, steady=10)
    assert clock.now == pytest.approx(165, abs=0.2)


def test_what_breaks_after_the_deadline_has_not_settled(clock: Clock) -> None:
    assert not Situation().wait(lambda: 155 <= clock.now < 162, 60, steady=10)
    assert clock.now == pytest.approx(162, abs=0.2)


def test_what_comes_and_goes_never_settles(clock: Clock) -> None:
    turns = itertools.cycle([True, False])
    assert not Situation().wait(lambda: next(turns), 60, steady=1)
    assert clock.now == pytest.approx(160, abs=0.2)
