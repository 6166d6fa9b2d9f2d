"""Running commands, with their seconds in the log."""

import logging
import os
import subprocess
import time
from collections.abc import Mapping

_LONGEST = 1800  # seconds that one command may take

log = logging.getLogger("live")


class CommandFailed(Exception):
    """A command ended with an error; the message is its output."""


def run(*command: str, stdin: str | None = None, env: Mapping[str, str] | None = None, quiet: bool = False) -> str:
    """Standard output of a command, with `env` added to the environment; not in the log when `quiet`. Raises
    CommandFailed.
    """
    start = time.monotonic()
    result = subprocess.run(
        command,
        input=stdin,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    log.log(logging.DEBUG if quiet else logging.INFO, "%5.1f s  %s", time.monotonic() - start, " ".join(command)[:120])
    if result.returncode:
        raise CommandFailed(f"{' '.join(command)}: exit code {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout
