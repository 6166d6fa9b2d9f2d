"""Makes a project's virtual environment and installs its requirements."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from toolchain.standins.language.options import Options, OptionsError, ambient_python
from toolchain.standins.language.streams import output_of


def install(options: Options, directory: Path) -> Iterator[tuple[str, bytes]]:
    """Make the virtual environment, install `directory`'s requirements.txt, yield what is printed meanwhile.

    Raises OptionsError when a step fails.
    """
    if options.folder and options.missing():
        yield "stdout", b"Creating virtual environment...\n"
        yield from _run([ambient_python(), "-m", "venv", str(options.folder)], options, directory)
    if (directory / "requirements.txt").is_file():
        yield "stdout", b"Installing dependencies...\n"
        pip = [options.python, "-m", "pip", "install", "--disable-pip-version-check"]
        yield from _run([*pip, "-r", "requirements.txt"], options, directory)
    yield "stdout", b"Finished installing dependencies\n"


def _run(command: list[str], options: Options, directory: Path) -> Iterator[tuple[str, bytes]]:
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=options.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise OptionsError(f"{' '.join(command)} could not be started: {error}") from None
    said: list[bytes] = []
    for name, line in output_of(process):
        said.append(line)
        yield name, line
    if code := process.wait():
        tail = b"".join(said[-5:]).decode(errors="replace").strip()
        raise OptionsError(f"{' '.join(command)} ended with exit status {code}: {tail}")
