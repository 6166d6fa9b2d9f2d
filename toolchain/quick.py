"""The answers that must come at once: `setup` with nothing to do, and `env`. Light to import."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from toolchain import chosen, environment, pins
from toolchain.errors import ToolError
from toolchain.layout import Layout


def answer(arguments: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """The exit code of `arguments` where the answer is at hand, else None."""
    match list(arguments):
        case ["setup", "--stack", stack] if stack in (*pins.STACKS, pins.TESTS):
            return _setup(stack, environ)
        case ["env", "--stack", stack] if stack in pins.STACKS:
            return _env(stack, environ)
    return None


def ready_line(stack: str, record: chosen.Chosen) -> str:
    """One line that says that a stack's tools are there."""
    whose = "the tests" if stack == pins.TESTS else f"the stack {stack}"
    return f"setup: all tools of {whose} are there (`make doctor` shows them)"


def standin_line(record: chosen.Chosen) -> str | None:
    """The one warning line that names the stand-ins in use, or None."""
    names = [plugin.what for plugin in record.standins(pins.load())]
    if not names:
        return None
    return (
        f"stand-ins of this project serve for {', '.join(names)}: the official ones could not be had "
        "(`make setup REFRESH=1` tries again)"
    )


def _setup(stack: str, environ: Mapping[str, str]) -> int | None:
    record = chosen.fresh(Layout.of(environ), environ, [stack])
    if record is None:
        return None
    line = standin_line(record)
    if line:
        print(f"warning: {line}", file=sys.stderr)
    print(ready_line(stack, record), file=sys.stderr)
    return 0


def _env(stack: str, environ: Mapping[str, str]) -> int:
    layout = Layout.of(environ)
    if chosen.fresh(layout, environ, [stack]) is None:
        command = "make setup" if stack == "sim" else f"make setup STACK={stack}"
        told = f"warning: not all tools of the stack {stack} are there yet: run `{command}`, then this again"
        print(told, file=sys.stderr)
    try:
        print(environment.shell(environment.variables(layout, stack, environ), environ))
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
