"""The language runtime's protocol: what the engine asks, answered from the other modules."""

# The methods bear the protocol's names.
# ruff: noqa: N802

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from toolchain.standins.language.install import install
from toolchain.standins.language.options import Options, OptionsError
from toolchain.standins.language.packages import installed, plugin_of, top_level
from toolchain.standins.language.plugins import PluginRun
from toolchain.standins.language.process import Children
from toolchain.standins.plugin import EngineLog
from toolchain.standins.properties import from_struct

# The CLI's version that this host was written against.
VERSION: Final = "3.259.0"
# exec.py's exit code for "failed, and the user has been told why".
_SHOWN: Final = 32
_EXEC: Final = Path(__file__).with_name("exec.py")
_ABOUT: Final = (
    "import importlib.metadata as m, json, platform, sys\n"
    "pip = [d.version for d in m.distributions(name='pip')]\n"
    "print(json.dumps([sys.executable, platform.python_version(), (pip or [''])[0]]))"
)


def _refused(what: str) -> Any:
    def method(self: Any, request: Any, context: grpc.ServicerContext) -> None:
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"this stand-in for the Python language host cannot {what}; install the official one for that",
        )

    return method


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Serves one engine; each program and plugin is a child process."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._children = Children()

    def stop(self) -> None:
        """End every program and plugin."""
        self._children.end_all()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> language_pb2.LanguageHandshakeResponse:
        """Take the engine's address."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the version stood in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Interrupt every program."""
        self._children.stop_all()
        return empty_pb2.Empty()

    def About(self, request: Any, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        """Describe the project's Python."""
        options = _options(request.info, context)
        try:
            done = subprocess.run([options.python, "-c", _ABOUT], capture_output=True, text=True, check=True)
        except (OSError, OptionsError, subprocess.CalledProcessError) as error:
            _fail(context, options.missing() or str(error))
        executable, version, pip = json.loads(done.stdout)
        return language_pb2.AboutResponse(
            executable=executable,
            version=version,
            metadata={"toolchain": "Pip", "toolchainVersion": pip, "typechecker": "none"},
        )

    def GetRequiredPackages(
        self, request: Any, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """List the plugins of the installed packages; an environment that is not there is made first."""
        options = _options(request.info, context)
        try:
            if options.folder and not (options.folder.exists() and any(options.folder.iterdir())):
                log = EngineLog(self._engine)
                for _, line in install(options, Path(request.info.program_directory)):
                    log.status(line.decode(errors="replace").rstrip("\n"))
            if sentence := options.missing():
                _fail(context, sentence)
            found = [plugin for package in installed(options) if (plugin := plugin_of(package))]
        except (OptionsError, OSError) as error:
            _fail(context, str(error))
        return language_pb2.GetRequiredPackagesResponse(packages=found)

    def GetProgramDependencies(
        self, request: Any, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """List the installed packages, all or those that no other one requires."""
        options = _options(request.info, context)
        try:
            packages = installed(options)
        except OptionsError as error:
            _fail(context, options.missing() or str(error))
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=package.name, version=package.version)
                for package in (packages if request.transitiveDependencies else top_level(packages))
            ]
        )

    def InstallDependencies(
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Make the virtual environment, install requirements.txt, stream what pip says."""
        options = _options(request.info, context, needs_virtualenv=request.is_plugin)
        try:
            for name, line in install(options, Path(request.info.program_directory)):
                yield language_pb2.InstallDependenciesResponse(**{name: line})
        except (OptionsError, OSError) as error:
            _fail(context, str(error))

    def RuntimeOptionsPrompts(self, request: Any, context: grpc.ServicerContext) -> language_pb2.RuntimeOptionsResponse:
        """Ask for nothing in `pulumi new`: pip is the only toolchain here."""
        return language_pb2.RuntimeOptionsResponse()

    def Run(self, request: Any, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run the program to its end; its output goes straight to the CLI."""
        if request.attach_debugger:
            return language_pb2.RunResponse(
                error="this stand-in for the Python language host cannot attach a debugger; "
                "install the official one for that"
            )
        options = _options(request.info, context)
        if sentence := options.missing():
            _fail(context, sentence)
        arguments = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "root": request.info.root_directory,
            "stack": request.stack,
            "organization": request.organization,
            "pwd": request.pwd,
            "dry_run": request.dryRun,
            "parallel": request.parallel,
            "program": request.info.entry_point or ".",
            "args": list(request.args),
        }
        variables = options.environment()
        variables["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        variables["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        try:
            process = subprocess.Popen(
                [options.python, str(_EXEC), json.dumps(arguments)], env=variables, stdin=subprocess.DEVNULL
            )
        except (OSError, OptionsError) as error:
            return language_pb2.RunResponse(error=f"the program could not be started: {error}")
        if not context.add_callback(lambda: self._children.stop(process)):
            self._children.stop(process)  # The engine has given up already.
        with self._children.watched(process):
            code = process.wait()
            if code == _SHOWN or self._children.was_stopped(process):
                return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=_program_error(code))

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack or a plugin written in Python, and stream its output and its exit code."""
        options = _options(request.info, context, needs_virtualenv=request.kind != "analyzer")
        if sentence := options.missing():
            _fail(context, sentence)
        try:
            yield from PluginRun(request, options, self._children).stream(context)
        except (OptionsError, OSError) as error:
            _fail(context, str(error))

    GetRequiredPlugins = _refused("list plugins the old way")
    Template = _refused("prepare a project from a template")
    Link = _refused("link a local SDK")
    Pack = _refused("pack a Python SDK")
    GenerateProgram = _refused("generate a program")
    GenerateProject = _refused("generate a project")
    GeneratePackage = _refused("generate an SDK")


def _program_error(code: int) -> str:
    if code == 0:
        return ""
    if code < 0:
        return f"program was ended by signal {-code}"
    return f"program exited with non-zero exit code: {code}"


def _options(info: Any, context: grpc.ServicerContext, *, needs_virtualenv: bool = False) -> Options:
    try:
        return Options.of(info.root_directory, from_struct(info.options), needs_virtualenv=needs_virtualenv)
    except OptionsError as error:
        _fail(context, str(error))


def _fail(context: grpc.ServicerContext, sentence: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, sentence)
    raise AssertionError("abort does not return")
