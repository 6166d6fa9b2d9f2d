from __future__ import annotations

import pytest

from toolchain import progress


def test_lines_say_start_now_and_then_and_end() -> None:
    said: list[str] = []
    times = iter([0.0, 5.0, 25.0, 30.0, 65.0])
    report = progress.Lines(write=said.append, clock=lambda: next(times))
    with report.step("tool", "downloading 1.0") as step:
        step.at(1, 10, "1 of 10 MB")
        step.at(5, 10, "5 of 10 MB")
        step.at(6, 10, "6 of 10 MB")
    assert said == ["tool: downloading 1.0", "tool: 5 of 10 MB, 25 s so far", "tool: done in 1 min 05 s"]


def test_a_failed_step_does_not_say_done() -> None:
    said: list[str] = []
    report = progress.Lines(write=said.append)
    with pytest.raises(RuntimeError), report.step("tool", "building"):
        raise RuntimeError
    assert said == ["tool: building"]


@pytest.mark.parametrize(("value", "text"), [(0.42, "0.4 s"), (12.3, "12 s"), (185, "3 min 05 s")])
def test_durations(value: float, text: str) -> None:
    assert progress.seconds(value) == text
