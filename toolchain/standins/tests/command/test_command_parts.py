"""The command plugin's parts, without an engine."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from toolchain.standins.command import assets, diff
from toolchain.standins.command.diff import Kind
from toolchain.standins.command.inputs import RESOURCE, Execution, check, known_inputs
from toolchain.standins.command.runner import CommandError, Commands
from toolchain.standins.properties import ASSET, SIGNATURE, UNKNOWN, Secret


def run(command: str, timeout: float = 0, **inputs: Any) -> tuple[str, str, list[str]]:
    lines: list[str] = []
    output = Commands().run(Execution.of(command, inputs), lines.append, timeout)
    return output.stdout, output.stderr, lines


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, {}),
        ({"create": "a"}, {"create": "b"}, {"create": Kind.UPDATE}),
        ({}, {"triggers": [1]}, {"triggers": Kind.ADD}),
        ({"triggers": [1, 2]}, {"triggers": [1]}, {"triggers[1]": Kind.DELETE}),
        ({"environment": {"A": "1"}}, {"environment": {"A": "2", "B-C": "3"}}, None),
        ({"stdin": Secret("a")}, {"stdin": Secret("a")}, {}),
        ({"stdin": "a"}, {"stdin": Secret("a")}, {"stdin": Kind.UPDATE}),
        ({"stdin": "a"}, {"stdin": UNKNOWN}, {"stdin": Kind.UPDATE}),
        (
            {"triggers": [{SIGNATURE: ASSET, "hash": "1"}]},
            {"triggers": [{SIGNATURE: ASSET, "hash": "2"}]},
            {"triggers[0]": Kind.UPDATE},
        ),
    ],
)
def test_changes(old: dict[str, Any], new: dict[str, Any], expected: dict[str, Kind] | None) -> None:
    if expected is None:
        expected = {"environment.A": Kind.UPDATE, 'environment["B-C"]': Kind.ADD}
    assert diff.changes(old, new) == expected


def test_triggers_alone_replace() -> None:
    assert [
        path for path in ("triggers", "triggers[0].a", "create", "environment.triggers") if diff.replaces(path)
    ] == [
        "triggers",
        "triggers[0].a",
    ]


def test_check_names_every_mistake() -> None:
    wrong = {
        "create": 1,
        "interpreter": ["sh", 2],
        "dir": Secret(["hidden"]),
        "triggers": "x",
        "addPreviousOutputInEnv": "yes",
        "nonsense": 1,
    }
    assert {failure.property for failure in check(wrong, RESOURCE)} == {
        "create",
        "interpreter[1]",
        "dir",
        "triggers",
        "addPreviousOutputInEnv",
        "nonsense",
    }
    assert "hidden" not in str(check(wrong, RESOURCE))


def test_check_takes_what_is_right() -> None:
    right = {"create": Secret(UNKNOWN), "environment": {"A": Secret("x"), "B": UNKNOWN}, "triggers": [1, None]}
    assert check(right, RESOURCE) == []
    assert known_inputs({**right, "version": "1", "__internal": 1, "dir": None}) == right


@pytest.mark.parametrize(
    ("glob", "matches", "other"),
    [
        ("*.txt", ["a.txt"], ["a/b.txt", "a.txts"]),
        ("made/**", ["made/a", "made/b/c"], ["made"]),
        ("src/**.js", ["src/a.js", "src/b/c.js"], ["a.js"]),
        ("[a-c]?", ["ax"], ["dx", "a/"]),
        ("[!a]", ["b"], ["a"]),
        ("{one,two}.txt", ["one.txt", "two.txt"], ["three.txt"]),
        (r"a\*", ["a*"], ["ab"]),
    ],
)
def test_globs(glob: str, matches: list[str], other: list[str]) -> None:
    pattern = assets.glob_pattern(glob)
    assert all(pattern.fullmatch(path) for path in matches)
    assert not any(pattern.fullmatch(path) for path in other)


@pytest.mark.parametrize("glob", ["[a", "{a,b"])
def test_broken_globs_are_refused(glob: str) -> None:
    with pytest.raises(assets.GlobError, match="path glob"):
        assets.glob_pattern(glob)


def test_later_rules_win(tmp_path: Path) -> None:
    (tmp_path / "a.js").touch()
    (tmp_path / "secret.js").touch()
    assert list(assets.matching_files(str(tmp_path), ["*.js", "!secret*"])) == ["a.js"]
    assert list(assets.matching_files(str(tmp_path), ["!secret*", "*.js"])) == ["a.js", "secret.js"]


def test_an_archive_has_the_engines_hash(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("1\n")
    (tmp_path / "deep" / "b.txt").write_text("2\n")
    # Of a tar that Go's archive/tar wrote.
    assert assets.archive(str(tmp_path), ["**"])["hash"] == (
        "f090caf6d01e7a377afd69c09a9f150db75f624f38f39fd3664406931b5e8490"
    )


def test_output_loses_one_newline_only() -> None:
    assert run("printf 'a\\n\\n'; printf 'b' >&2")[:2] == ("a\n", "b")


@pytest.mark.parametrize(
    ("logging", "lines"),
    [("stdout", ["out"]), ("stderr", ["err"]), ("stdoutAndStderr", ["err", "out"]), ("none", [])],
)
def test_logging(logging: str, lines: list[str]) -> None:
    stdout, stderr, logged = run("echo out; echo err >&2", logging=logging)
    assert (stdout, stderr) == ("out", "err")
    assert sorted(logged) == lines


def test_stdin_environment_interpreter_directory(tmp_path: Path) -> None:
    assert run("cat", stdin="x" * 300_000)[0] == "x" * 300_000
    assert run("true", stdin="x" * 300_000)[0] == ""
    assert run("echo $A $HOME", environment={"A": "1", "HOME": "2"})[0] == "1 2"
    assert run("print(6 * 7)", interpreter=["python3", "-c"])[0] == "42"
    assert run("pwd", dir=str(tmp_path))[0] == str(tmp_path)


def test_previous_output_in_the_environment() -> None:
    previous = {"stdout": Secret("before"), "stderr": ""}
    assert Execution.of("x", {}, previous).environment == {"PULUMI_COMMAND_STDOUT": "before"}
    assert Execution.of("x", {"addPreviousOutputInEnv": False}, previous).environment == {}


def test_timeout_kills_what_ignores_sigterm() -> None:
    started = time.monotonic()
    with pytest.raises(CommandError, match=r"timed out after 0\.2 s: running"):
        run("trap '' TERM; echo begun; while true; do sleep 0.1; done", timeout=0.2)
    assert time.monotonic() - started < 10


def test_cancel_stops_all_and_refuses_new_ones() -> None:
    commands = Commands()
    said: list[str] = []

    def one() -> None:
        try:
            commands.run(Execution.of("sleep 60", {}), lambda line: None)
        except CommandError as error:
            said.append(str(error))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    commands.cancel()
    for thread in threads:
        thread.join(timeout=10)
    one()
    assert said == ['cancelled: running "sleep 60":\n'] * 4


def test_a_background_process_ends_the_wait_not_itself() -> None:
    started = time.monotonic()
    assert run("sleep 30 & echo done")[0] == "done"
    assert time.monotonic() - started < 10


def test_secrets_are_masked_in_log_and_failure() -> None:
    lines: list[str] = []
    secret = {"environment": {"P": Secret("first line\nsecond line")}}
    with pytest.raises(CommandError) as failed:
        Commands().run(Execution.of('echo "$P"; exit 1', secret), lines.append)
    assert lines == ["[secret]", "[secret]"]
    assert "line" not in str(failed.value)


def test_an_interpreter_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="No such file or directory: 'nonesuch'"):
        run("true", interpreter=["nonesuch"])
