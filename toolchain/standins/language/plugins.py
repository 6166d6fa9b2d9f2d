"""Runs policy packs and plugins written in Python as child processes of the language host."""

from __future__ import annotations

import signal
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import language_pb2

from toolchain.standins.language.options import Options, OptionsError
from toolchain.standins.language.policy_proxy import PolicyProxy
from toolchain.standins.language.process import Children
from toolchain.standins.language.streams import output_of

_Response = language_pb2.RunPluginResponse


class PluginRun:
    """One run of a plugin: of kind `analyzer`, a policy pack; of any other, a plugin's own server."""

    def __init__(self, request: Any, options: Options, children: Children) -> None:
        self._request = request
        self._options = options
        self._children = children
        self._program = Path(request.info.program_directory)

    def stream(self, context: grpc.ServicerContext) -> Iterator[language_pb2.RunPluginResponse]:
        """Run it, yield its output as it comes and its exit code last."""
        if self._request.kind == "analyzer":
            yield from self._policy_pack(context)
        else:
            process = self._start(self._plugin_command(), self._request.pwd or ".", {}, context)
            with self._children.watched(process):
                for name, line in output_of(process):
                    yield _line(name, line)
                yield _Response(exitcode=process.wait())

    def _policy_pack(self, context: grpc.ServicerContext) -> Iterator[language_pb2.RunPluginResponse]:
        proxy = PolicyProxy()
        try:
            yield _Response(stdout=b"%d\n" % proxy.port)
            variables = proxy.environment(context.is_active)
            command = ["-u", "-m", "pulumi.policy", *self._request.args, str(self._program)]
            process = self._start(command, str(self._program), variables, context)
            with self._children.watched(process):
                attached = False
                for name, line in output_of(process):
                    if name == "stdout" and not attached and line.strip().isdigit():
                        proxy.attach(int(line))
                        attached = True
                    else:
                        yield _line(name, line)
                code = process.wait()
                if not attached:
                    proxy.fail(f"the policy pack {self._program} ended with exit status {code} before it served")
                yield _Response(exitcode=code)
        finally:
            proxy.close()

    def _plugin_command(self) -> list[str]:
        arguments = list(self._request.args)
        if (self._options.root / "__main__.py").is_file():
            return [str(self._program), *arguments]
        project = self._options.root / "pyproject.toml"
        said = tomllib.loads(project.read_text()) if project.is_file() else {}
        name = said.get("project", {}).get("name")
        if not name or "build-system" not in said:
            raise OptionsError(
                f"the plugin {self._options.root} cannot be run: it has neither a __main__.py "
                "nor a pyproject.toml with a build system and a name"
            )
        return ["-m", "pulumi.run.plugin", name, *arguments]

    def _start(
        self, command: list[str], folder: str, variables: dict[str, str], context: grpc.ServicerContext
    ) -> subprocess.Popen[bytes]:
        given = dict(entry.split("=", 1) for entry in self._request.env if "=" in entry)
        process = subprocess.Popen(
            [self._options.python, *command],
            cwd=folder,
            env={**self._options.environment(), **variables, **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if not context.add_callback(lambda: self._children.stop(process, signal.SIGTERM)):
            self._children.stop(process, signal.SIGTERM)  # The engine has given up already.
        return process


def _line(name: str, line: bytes) -> language_pb2.RunPluginResponse:
    return _Response(stdout=line) if name == "stdout" else _Response(stderr=line)
