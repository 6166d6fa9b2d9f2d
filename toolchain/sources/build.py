"""The third way: a build from the package registries, with a committed go.mod and go.sum.

Go verifies every module against go.sum, keeps what it has downloaded and compiled in caches of its own, and so goes on
where an interrupted build ended.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolError
from toolchain.pins import Build

MODULES = Path(__file__).resolve().parent.parent / "go"
TOOLCHAINS_SINCE = (1, 21)  # from here on Go fetches the version that a go.mod asks for, unless it is told not to
Told = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Go:
    """The Go command: its path, its version, and whether it may fetch another version of itself."""

    path: Path
    version: tuple[int, int]
    fetches: bool

    def can(self, needed: tuple[int, int]) -> bool:
        """Whether this Go builds a module whose go.mod asks for Go `needed`."""
        return self.version >= needed or (self.fetches and self.version >= TOOLCHAINS_SINCE)


def find_go(environ: Mapping[str, str]) -> Go | None:
    """The Go command on PATH; None when there is none or it doesn't run."""
    where = shutil.which("go", path=environ.get("PATH"))
    if where is None:
        return None
    try:
        told = subprocess.run([where, "env", "GOVERSION", "GOTOOLCHAIN"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    lines = [*told.stdout.splitlines(), "", ""]
    version = _version(lines[0].removeprefix("go"))
    return Go(Path(where), version, fetches=lines[1].strip() != "local") if version else None


def needed_go(build: Build, modules: Path = MODULES) -> tuple[int, int]:
    """The Go version that the build's go.mod asks for."""
    text = (modules / build.name / "go.mod").read_text(encoding="utf-8")
    match = re.search(r"^go (\S+)", text, re.MULTILINE)
    return (_version(match.group(1)) if match else None) or (1, 0)


def check_go(go: Go | None, builds: list[Build], modules: Path = MODULES) -> Go:
    """The Go for these builds.

    Raises:
        ToolError: there is none, or it is too old, with what to install.
    """
    needed = max(needed_go(build, modules) for build in builds)
    names = ", ".join(build.name for build in builds)
    wanted = f"Go {needed[0]}.{needed[1]} or newer (https://go.dev/dl)"
    if go is None:
        raise ToolError(
            f"{names} can't be downloaded here and must be built, but there is no Go on PATH: install {wanted}, "
            "then run `make setup` again"
        )
    if not go.can(needed):
        raise ToolError(
            f"{names} must be built, but {go.path} is Go {go.version[0]}.{go.version[1]}: install {wanted}, "
            "then run `make setup` again"
        )
    return go


def recipe(build: Build, modules: Path = MODULES) -> str:
    """Eight digits that change whenever the build's result may: its module's files, packages and flags."""
    digest = hashlib.sha256(repr((sorted(build.packages.items()), build.ldflags, build.names)).encode())
    for file in sorted((modules / build.name).iterdir()):
        if file.is_file():
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:8]


def prepare(go: Go, build: Build, environ: Mapping[str, str], told: Told, modules: Path = MODULES) -> int:
    """Fetches the modules that the build needs; returns how many packages it compiles.

    Raises:
        ToolError: a module can't be fetched or doesn't match go.sum.
    """
    command = [str(go.path), "list", "-deps", "-f", "{{.ImportPath}}", *build.packages.values()]
    fetched = 0
    packages: set[str] = set()

    def errors(line: str) -> None:
        nonlocal fetched
        if line.startswith("go: downloading"):
            fetched += 1
            told(fetched, None)

    _run(command, build, environ, modules, errors, packages.add)
    return len(packages)


def compile_into(
    go: Go,
    build: Build,
    environ: Mapping[str, str],
    into: Path,
    told: Told,
    packages: int | None = None,
    modules: Path = MODULES,
) -> None:
    """Builds the programs into the folder `into`, with the further names that they are called by.

    `told` hears how many packages were compiled of `packages` at most (those in Go's cache aren't compiled).

    Raises:
        ToolError: the build failed; the text has Go's last words.
    """
    into.mkdir(parents=True, exist_ok=True)
    compiled = 0

    def errors(line: str) -> None:
        nonlocal compiled
        if " " not in line:  # `go build -v` names each package that it compiles
            compiled += 1
            told(compiled, packages)

    for program, package in build.packages.items():
        flags = " ".join(("-s", "-w", *build.ldflags))
        command = [str(go.path), "build", "-v", "-buildvcs=false", "-ldflags", flags]
        _run([*command, "-o", str(into / program), package], build, environ, modules, errors)
        for name in build.names.get(program, ()):
            (into / name).unlink(missing_ok=True)
            (into / name).symlink_to(program)


def _run(
    command: list[str],
    build: Build,
    environ: Mapping[str, str],
    modules: Path,
    errors: Callable[[str], None],
    output: Callable[[str], object] = lambda line: None,
) -> None:
    last: deque[str] = deque(maxlen=12)
    env = {**environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    with _started(command, modules / build.name, env) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        stdout = process.stdout
        reader = threading.Thread(target=lambda: [output(line.rstrip("\n")) for line in stdout])
        reader.start()
        for line in process.stderr:
            last.append(line.rstrip("\n"))
            errors(line.rstrip("\n"))
        reader.join()
        code = process.wait()
    if code:
        words = "\n  ".join(line for line in last if " " in line and not line.startswith("go: downloading"))
        raise ToolError(
            f"{build.name} {build.version} could not be built from the package registries (go ended with {code}); "
            f"what is compiled is kept, `make setup` goes on from there. Go said:\n  {words}"
        )


@contextmanager
def _started(command: list[str], folder: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A child that doesn't outlive an error or an interrupt here."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGINT)  # on which Go ends its compilers too
            raise


def _version(text: str) -> tuple[int, int] | None:
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else None


def go_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for Go: the user's, without what would change the result."""
    return {name: value for name, value in environ.items() if name not in ("GOOS", "GOARCH", "GOBIN")}
