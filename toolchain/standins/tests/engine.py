"""A Pulumi project in a temporary folder, driven by the real CLI through the stand-ins of this checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[3]
STANDINS = {
    "pulumi-language-python": "language",
    "pulumi-resource-command": "command",
    "pulumi-resource-pulumi-python": "dynamic",
}


def find_pulumi() -> str | None:
    """Return the CLI on PATH or of this checkout."""
    path = os.pathsep.join([os.environ.get("PATH", ""), str(CHECKOUT / ".tools" / "bin")])
    return shutil.which("pulumi", path=path)


def write_launchers(folder: Path) -> Path:
    """Write the executables that the engine looks for; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, package in STANDINS.items():
        launcher = folder / name
        launcher.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(CHECKOUT)!r})\n"
            f"from toolchain.standins.{package}.__main__ import main\nmain()\n"
        )
        launcher.chmod(0o755)
    return folder


@dataclass(frozen=True)
class Project:
    """A project with the stack `test` in a file backend."""

    folder: Path
    environment: dict[str, str]
    pulumi: str

    @classmethod
    def new(cls, root: Path, launchers: Path, pulumi: str) -> Project:
        """Make an empty project below `root`."""
        folder = root / "project"
        for name in ("project", "state", "home"):
            (root / name).mkdir()
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(launchers), str(Path(pulumi).parent), os.environ["PATH"]]),
            "PULUMI_HOME": str(root / "home"),
            "PULUMI_BACKEND_URL": (root / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        project = cls(folder, environment, pulumi)
        project.runtime(virtualenv=sys.prefix)
        project.run("stack", "init", "test")
        return project

    def runtime(self, **options: str) -> None:
        """Write Pulumi.yaml with these runtime options."""
        content = {"name": "tiny", "runtime": {"name": "python", "options": {"toolchain": "pip", **options}}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps(content))

    def program(self, text: str) -> None:
        """Write __main__.py."""
        (self.folder / "__main__.py").write_text(textwrap.dedent(text))

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of one pulumi command."""
        return [self.pulumi, "--non-interactive", "--color", "never", *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start one pulumi command; standard error goes with its standard output."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run one pulumi command and return everything it printed; asserts that it succeeds, or fails."""
        with self.start(*arguments) as process:
            try:
                printed, _ = process.communicate(timeout=120)
            except BaseException:
                process.kill()
                raise
        assert (process.returncode != 0) == fails, printed
        return printed

    def up(self, *arguments: str, fails: bool = False) -> str:
        """Run `pulumi up` without its preview."""
        return self.run("up", "--yes", "--skip-preview", *arguments, fails=fails)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, secrets in the clear."""
        done = subprocess.run(
            self.command("stack", "output", "--json", "--show-secrets"),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def state(self) -> str:
        """Return the stack's state as it lies on the disk."""
        stored = self.folder.parent / "state" / ".pulumi" / "stacks" / "tiny" / "test.json"
        return stored.read_text()
