import pytest

from components.checker import log
from components.checker.log import Log
from tests.unit.clock import Clock


def test_what_is_new_is_said_and_what_only_counts_down_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(log, "time", clock)
    said = Log()
    for behind in range(100, 0, -1):
        said.say(f"out of the ISR of {behind} partitions", False)
        clock.now += 1
    said.say("in sync", True)
    said.say("in sync", True)
    clock.now += 60
    said.say("in sync", True)
    said.say("out of the ISR of 1 partitions", False)
    told = ["100", "69", "38", "7"]
    expected = [f"out of the ISR of {behind} partitions" for behind in told]
    assert capsys.readouterr().out.splitlines() == [*expected, "in sync", "out of the ISR of 1 partitions"]
