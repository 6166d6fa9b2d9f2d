"""The Makefile and the command line, as a person meets them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from toolchain import cli, stack
from toolchain.layout import ROOT, Layout

MAKEFILE = (ROOT / "Makefile").read_text()


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**clean, **environ}, check=False)


def test_help_names_every_target() -> None:
    targets = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()) - {"venv"}
    told = run("make", "-s", "help").stdout
    assert set(re.findall(r"^  make ([\w-]+) +\S", told, re.MULTILINE)) == targets


def test_env_prints_only_what_a_shell_can_eval(tmp_path: Path) -> None:
    told = run("make", "-s", "env", "STACK=sim")
    assert told.returncode == 0
    assert all(re.match(r"(export \w+=|unset \w+)", line) for line in told.stdout.splitlines()), told.stdout


def test_a_wrong_stack_is_one_sentence() -> None:
    for verb in (["setup", "--stack", "staging"], ["up", "staging"], ["destroy", "staging"], ["env", "--stack", "x"]):
        told = run(sys.executable, "-m", "toolchain", *verb)
        assert told.returncode == 1
        assert re.fullmatch(r"error: STACK=\w+: not one of sim, dev, prod\n", told.stderr)


def test_a_wrong_option_is_one_sentence() -> None:
    told = run(sys.executable, "-m", "toolchain", "setup", "--stck", "sim")
    assert told.returncode == 1
    assert told.stderr.startswith("error: No such option: --stck")
    assert "Traceback" not in told.stderr


def test_destroy_of_nothing_is_at_once(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Layout, "of", lambda environ: layout)
    monkeypatch.setattr(sys, "argv", ["toolchain", "destroy", "dev"])
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    assert cli.run() == 0
    assert capsys.readouterr().err == "destroy: there is no stack dev: nothing to do\n"
    assert not list(layout.root.iterdir())


@pytest.mark.parametrize("code", [0, 7, 255])
def test_pulumis_exit_code_is_passed_on(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def pulumi(arguments: list[str], *rest: object) -> int:
        asked.append(arguments)
        return code

    monkeypatch.setattr(cli, "_prepare", lambda *rest: None)
    monkeypatch.setattr(stack, "prepare", lambda *rest, **more: {})
    monkeypatch.setattr(stack, "pulumi", pulumi)
    monkeypatch.setattr(sys, "argv", ["toolchain", "up", "sim", "--expect-no-changes"])
    assert cli.run() == code
    assert asked == [["up", "-s", "sim", "--expect-no-changes", "--yes"]]


def test_an_interrupt_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_prepare", interrupted)
    monkeypatch.setattr(sys, "argv", ["toolchain", "setup"])
    assert cli.run() == 130
    assert "interrupted: what was fetched and built is kept" in capsys.readouterr().err


def test_the_fast_path_loads_nothing_heavy() -> None:
    code = (
        "import sys, os; from toolchain import quick; quick.answer(['setup', '--stack', 'sim'], os.environ); "
        "print(sorted({'typer', 'rich', 'httpx', 'yaml', 'packaging', 'pulumi'} & set(sys.modules)))"
    )
    assert run(sys.executable, "-c", code).stdout == "[]\n"
