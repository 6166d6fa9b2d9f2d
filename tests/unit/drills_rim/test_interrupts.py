"""Ctrl-C ends a drill, never the undoing."""

import os
import signal

import pytest

from drills.errors import Interrupted
from drills.interrupts import Interrupts


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupted_twice(cleaned: list[bool]) -> None:
    try:
        press()
    finally:
        press()
        press()
        cleaned.append(True)


def heal(interrupts: Interrupts, done: list[str]) -> None:
    with interrupts.deferred():
        press()
        done.append("healed")


def test_the_first_one_ends_it_and_no_other_the_cleaning_up() -> None:
    said: list[str] = []
    cleaned: list[bool] = []
    with Interrupts(said.append):
        with pytest.raises(Interrupted, match="by SIGINT"):
            interrupted_twice(cleaned)
        press()
    assert cleaned
    assert len(said) == 4
    assert "undone first" in said[0]


def test_what_is_deferred_is_done_to_its_end() -> None:
    done: list[str] = []
    with Interrupts(lambda text: None) as interrupts, pytest.raises(Interrupted):
        heal(interrupts, done)
    assert done == ["healed"]


def test_a_reason_from_another_thread() -> None:
    with (
        Interrupts(lambda text: None) as interrupts,
        pytest.raises(Interrupted, match="the lock was lost"),
    ):
        interrupts.request("the lock was lost")


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts(lambda text: None):
        pass
    assert signal.getsignal(signal.SIGTERM) == before
