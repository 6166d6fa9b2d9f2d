"""Running other programs, and failing with one sentence."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn


class Refused(Exception):
    """What was asked can't be done; the message is one sentence with the way out."""


def run(
    *command: str,
    stdin: str | None = None,
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """The command's standard output. Raises Refused when it is not installed, fails, or takes longer than
    `timeout` seconds.
    """
    program = shutil.which(command[0])
    if program is None:
        raise Refused(f'{command[0]} is not on PATH. Run make setup, then: eval "$(make -s env)".')
    try:
        result = subprocess.run(
            [program, *command[1:]],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=env,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{' '.join(command[:3])} took longer than {timeout:.0f} s.") from error
    if result.returncode:
        raise Refused(f"{' '.join(command[:3])} failed: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def progress(message: str) -> None:
    """Tells the user, by standard error: standard output is the command's result."""
    print(message, file=sys.stderr, flush=True)


def main(actions: Mapping[str, Callable[[], None]]) -> NoReturn:
    """Runs the action that the command line names; a refusal becomes its sentence and exit code 1."""
    try:
        actions[sys.argv[1]]()
    except Refused as refusal:
        progress(str(refusal))
        sys.exit(1)
    sys.exit(0)
