"""The command line: `python -m toolchain --help`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from toolchain import chosen, environment, pins, quick
from toolchain import doctor as doctors
from toolchain import review as reviews
from toolchain import stack as stacks
from toolchain.errors import ToolError
from toolchain.install import Installer
from toolchain.layout import Layout, Platform
from toolchain.progress import Reporter, reporter, seconds

INTERRUPTED = 130
GO_ON = "interrupted: what was fetched and built is kept, the same command goes on from here"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Stack = Annotated[str, typer.Option("--stack", help="sim, dev or prod; of setup, test too", show_default=True)]
Refresh = Annotated[bool, typer.Option("--refresh", help="Try the official releases again, too.")]


def run() -> int:
    """Runs the command line; a user's mistake ends in one sentence, never a traceback."""
    try:
        code: int | None = app(standalone_mode=False)  # what a command's typer.Exit holds
        if code == INTERRUPTED:
            print(GO_ON, file=sys.stderr)
        return code or 0
    except ToolError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or 'this machine'}: {error.strerror or error}")
    except Exception as error:
        if hasattr(error, "format_message"):  # the command line's own complaints about arguments
            return _fail(error.format_message())
        raise


def _fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


@app.command()
def setup(
    stack: Stack = "sim",
    every: Annotated[bool, typer.Option("--all", help="For all stacks.")] = False,
    refresh: Refresh = False,
) -> None:
    """Gets the tools that a stack needs: on PATH, official releases, builds from the package registries, stand-ins."""
    wanted = pins.STACKS if every else (stack if stack == pins.TESTS else _known(stack),)
    _prepare(wanted, reporter(), refresh)


@app.command()
def doctor() -> None:
    """Shows every tool, where it comes from, and what is missing for which environment."""
    raise typer.Exit(doctors.show(pins.load(), Layout.of(os.environ), os.environ))


@app.command()
def env(stack: Stack = "sim") -> None:
    """Prints what `eval` sets in a shell: the tools' PATH and Pulumi's variables."""
    raise typer.Exit(quick.answer(["env", "--stack", _known(stack)], os.environ) or 0)


@app.command()
def build(names: Annotated[list[str], typer.Argument(help="k3d, kwok, pulumi, kubenode")]) -> None:
    """Builds programs from the package registries whatever else is there, and prints their folders."""
    for folder in _installer(reporter()).build(names):
        print(folder)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def up(context: typer.Context, stack: Annotated[str, typer.Argument()] = "sim") -> None:
    """Prepares and calls `pulumi up -s STACK --yes`; further arguments go to Pulumi."""
    _pulumi("up", stack, [*context.args, "--yes"])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def preview(context: typer.Context, stack: Annotated[str, typer.Argument()] = "sim") -> None:
    """Prepares and calls `pulumi preview -s STACK`; further arguments go to Pulumi."""
    _pulumi("preview", stack, context.args)


@app.command()
def review(
    base: Annotated[str, typer.Option(help="The commit that is compared with; empty for none.")] = "HEAD",
    manifests: Annotated[Path | None, typer.Option(help="A folder for each stack's Kubernetes objects.")] = None,
) -> None:
    """Previews every stack without a cluster, by the policies, and prints what changed since a commit, in Markdown."""
    report, layout = reporter(), Layout.of(os.environ)
    _prepare(("sim",), report)
    environ = environment.applied(environment.variables(layout, "sim", os.environ), os.environ)
    text, fails = reviews.review(layout.root, base or None, environ, manifests)
    print(text)
    raise typer.Exit(1 if fails else 0)


@app.command()
def destroy(stack: Annotated[str, typer.Argument()] = "sim") -> None:
    """Destroys a stack and removes it: no process, no cluster and no state stays behind."""
    layout, report = Layout.of(os.environ), reporter()
    if stacks.absent(layout, _known(stack), os.environ):
        stacks.tidy(layout, stack)
        report.note(f"destroy: there is no stack {stack}: nothing to do")
        return
    _prepare((stack,), report)
    raise typer.Exit(stacks.destroy(layout, stack, os.environ, report))


def _pulumi(verb: str, stack: str, arguments: list[str]) -> NoReturn:
    report, layout = reporter(), Layout.of(os.environ)
    if verb == "up":
        stacks.check(layout, pins.load(), _known(stack), os.environ, report)
    _prepare((_known(stack),), report)
    environ = stacks.prepare(layout, stack, os.environ, report)
    code = stacks.pulumi([verb, "-s", stack, *arguments], layout, environ)
    raise typer.Exit(code)


def _prepare(wanted: tuple[str, ...], report: Reporter, refresh: bool = False) -> None:
    start = time.monotonic()
    record = None if refresh else chosen.fresh(Layout.of(os.environ), os.environ, wanted)
    if record is None:
        record = _installer(report, refresh).setup(wanted)
        report.note(f"setup: done in {seconds(time.monotonic() - start)}")
        if environment.outdated(Layout.of(os.environ), os.environ):
            report.note('setup: this shell has its variables from before: run `eval "$(make -s env)"` again')
    line = quick.standin_line(record)
    if line:
        report.warn(line)
    report.note(quick.ready_line(", ".join(wanted), record))


def _installer(report: Reporter, refresh: bool = False) -> Installer:
    return Installer(pins.load(), Layout.of(os.environ), os.environ, report, Platform.here(), refresh)


def _known(stack: str) -> str:
    if stack not in pins.STACKS:
        raise ToolError(f"STACK={stack}: not one of {', '.join(pins.STACKS)}")
    return stack
