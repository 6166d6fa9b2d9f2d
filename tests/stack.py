"""A stack as a user has it, in a folder of its own: this checkout's program, a configuration, `pulumi`."""

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
_PROGRAM = ("Pulumi.yaml", "__main__.py", "components", "policies", "requirements.txt", ".venv")
log = logging.getLogger("stack")
_LONGEST = 900  # seconds that one command may take: twice the longest measured, a scale-out on a busy machine


class PulumiFailed(Exception):
    """A pulumi command ended with an error; the message is all that it printed."""


@dataclass(frozen=True)
class Stack:
    """A project folder with a stack. Nothing here touches a user's stacks: state and configuration are the folder's."""

    folder: Path
    name: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def create(
        cls, folder: Path, name: str, config: Mapping[str, Any], environment: Mapping[str, str] | None = None
    ) -> "Stack":
        """A stack of this checkout's program with `config` (`cluster`, `kafka`, `topics`); nothing is deployed yet."""
        for part in _PROGRAM:
            (folder / part).symlink_to(ROOT / part)
        (folder / "state").mkdir()
        defaults = {"PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_CONFIG_PASSPHRASE": "test"}
        stack = cls(folder, name, defaults | dict(environment or {}))
        stack.configure(config)
        stack.pulumi("stack", "init", name)
        return stack

    def configure(self, config: Mapping[str, Any]) -> None:
        """Replaces the configuration."""
        file = yaml.safe_load(self._file.read_text()) if self._file.exists() else {}
        file["config"] = {f"kafka-ha:{key}": value for key, value in config.items()}
        self._file.write_text(yaml.safe_dump(file))

    def change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        """Edits the configuration, as a user does in the file."""
        config = self.config
        edit(config)
        self.configure(config)

    @property
    def config(self) -> dict[str, Any]:
        """The configuration: `cluster`, `kafka`, `topics`."""
        config: dict[str, Any] = yaml.safe_load(self._file.read_text())["config"]
        return {key.removeprefix("kafka-ha:"): value for key, value in config.items()}

    def pulumi(self, *arguments: str) -> str:
        """What a pulumi command in the folder prints. Raises PulumiFailed."""
        began = time.monotonic()
        process = self.start(*arguments)
        try:
            out, _ = process.communicate(timeout=_LONGEST)
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            raise
        log.info("%5.1f s  pulumi %s", time.monotonic() - began, " ".join(arguments))
        if process.returncode:
            raise PulumiFailed(f"pulumi {' '.join(arguments)}: exit code {process.returncode}\n{out}")
        return out

    def refusal(self, *command: str) -> str:
        """What a command of the stack says that must fail, in one line: a sentence, never a traceback."""
        try:
            self.pulumi(*command, "--stack", self.name)
        except PulumiFailed as failure:
            said = " ".join(str(failure).split())
            assert "Traceback" not in said
            return said
        raise AssertionError(f"pulumi {' '.join(command)} is not refused")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A pulumi command in the folder that goes on by itself; standard error goes with its standard output."""
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def preview(self, *arguments: str) -> dict[str, str]:
        """What an up would do: the operation on each resource, by its name, without those that stay the same."""
        out = self.pulumi("preview", "--stack", self.name, "--json", *arguments)
        steps = json.loads(out[out.index("{") :])["steps"]
        return {step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] != "same"}

    def up(self, *arguments: str) -> str:
        """Deploys; returns what was printed."""
        return self.pulumi("up", "--stack", self.name, "--yes", "--skip-preview", *arguments)

    def destroy(self) -> None:
        """Destroys the stack and forgets it."""
        self.pulumi("destroy", "--stack", self.name, "--yes", "--skip-preview", "--remove")

    @property
    def exists(self) -> bool:
        """Whether there is state of the stack."""
        return bool(json.loads(self.pulumi("stack", "ls", "--json")))

    def outputs(self) -> dict[str, Any]:
        """What the program exports, secrets included."""
        out: dict[str, Any] = json.loads(
            self.pulumi("stack", "output", "--stack", self.name, "--json", "--show-secrets")
        )
        return out

    @property
    def _file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"
