"""Gets every tool that a stack needs: what is on PATH, else the official release, else a build, else a stand-in."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolchain import atomic, chosen, links
from toolchain.chosen import Choice, Chosen
from toolchain.errors import ToolError
from toolchain.layout import Layout, Platform, without
from toolchain.pins import Build, Pins, Plugin, Release, Tool
from toolchain.progress import Reporter, Step
from toolchain.sources import build, official, path
from toolchain.sources.build import Go
from toolchain.sources.official import Official, UnavailableError

MEGABYTE = 1_000_000


@dataclass
class Installer:
    """One run of `make setup` for some stacks."""

    pins: Pins
    layout: Layout
    environ: Mapping[str, str]
    reporter: Reporter
    platform: Platform
    refresh: bool = False
    modules: Path = build.MODULES
    reasons: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mode, mirror = chosen.settings(self.environ)
        if self.mode not in chosen.MODES:
            raise ToolError(f"KAFKA_HA_TOOLS={self.mode}: not one of {', '.join(chosen.MODES)}")
        before = chosen.read(self.layout)
        now = chosen.inputs(self.layout, self.mode, mirror)
        known = before.unreachable if before.inputs == now and not self.refresh else {}
        self.chosen = Chosen(now, dict(before.entries) if before.inputs == now else {}, dict(known))
        self.official = Official(self.layout.cache / "downloads", mirror, self.chosen.unreachable)
        self.search = without(self.environ.get("PATH", ""), self.layout.tools, self.layout.cache)

    def setup(self, stacks: Sequence[str]) -> Chosen:
        """Gets all that `stacks` need and records it.

        Raises:
            ToolError: a tool can't be had in any of the allowed ways, or a checksum is wrong.
        """
        tools = [tool for tool in self.pins.tools.values() if set(tool.stacks) & set(stacks)]
        plugins = [plugin for plugin in self.pins.plugins.values() if set(plugin.stacks) & set(stacks)]
        absent = [tool for tool in tools if not (self._from_path(tool) or self._from_cache(tool))]
        absent = [tool for tool in absent if not self._from_release(tool)]
        self._from_builds(absent)
        for plugin in plugins:
            self._plugin(plugin)
        self._link_the_rest()
        self._save()
        return self.chosen

    def build(self, names: Sequence[str]) -> list[Path]:
        """Builds some modules from the registries whatever else is there; returns their `bin` folders."""
        unknown = [name for name in names if name not in self.pins.builds]
        if unknown:
            raise ToolError(f"{', '.join(unknown)}: no such build; there are {', '.join(self.pins.builds)}")
        wanted = [build for build in self.pins.builds.values() if build.name in names]
        self._build_all(wanted)
        return [self._built(build) / "bin" for build in wanted]

    def _from_path(self, tool: Tool) -> bool:
        found = path.find(tool, self.search)
        if found is None:
            return False
        if not found.fits or found.version is None:
            version = found.version or "of an unknown version"
            self.reporter.note(f"{tool.name}: {found.path} is {version}, {tool.accepts} is needed: not used")
            return False
        self._choose(tool.name, Choice.of(found.path, found.version, "PATH"))
        return True

    def _from_cache(self, tool: Tool) -> bool:
        if self.mode != "registries" and self._choose_official(tool):
            return True
        wants_release = self.mode == "official" or self.refresh
        return not wants_release and self._choose_built(tool)

    def _choose_official(self, tool: Tool) -> bool:
        program = self.layout.tool(tool.name, tool.version, "official") / "bin" / tool.name
        if program.is_file():
            self._choose(tool.name, Choice.of(program, tool.version, "official"))
        return program.is_file()

    def _choose_built(self, tool: Tool) -> bool:
        folder = self._built(self.pins.builds[tool.build]) / "bin"
        if not (folder / tool.name).is_file():
            return False
        self._choose(tool.name, Choice.of(folder / tool.name, tool.version, "built"))
        return True

    def _from_release(self, tool: Tool) -> bool:
        if self.mode == "registries":
            return False
        release = tool.release(self.platform)
        if release is None:
            self.reasons[tool.name] = (f"there is no release for {self.platform.os}/{self.platform.arch}",)
            return False
        target = self.layout.tool(tool.name, tool.version, "official")

        def make(folder: Path) -> None:
            official.unpack(self._download(tool.name, tool.version, release), release, tool.name, folder / "bin")
            if not tool.ask:
                return
            version = path.ask_version(folder / "bin" / tool.name, tool.ask)
            if version is None or not path.accepts(tool.accepts, version):
                said = f"says it is {version}" if version else "does not run here"
                raise ToolError(f"{tool.name} from {release.url} {said}, {tool.version} was expected")

        try:
            atomic.install(target, self.layout.cache / "locks", tool.name, self.reporter, make)
        except UnavailableError as error:
            self.reasons[tool.name] = error.reasons
            return False
        return self._choose_official(tool)

    def _download(self, name: str, version: str, release: Release) -> Path:
        wanted = self.official.checksum(release)
        with self.reporter.step(name, f"downloading {version}") as step:

            def told(done: int, total: int | None) -> None:
                of = f" of {total / MEGABYTE:.0f}" if total else ""
                step.at(done, total, f"{done / MEGABYTE:.0f}{of} MB")

            return self.official.fetch(release, wanted, told)

    def _from_builds(self, absent: Sequence[Tool]) -> None:
        if not absent:
            return
        reasons = "; ".join(dict.fromkeys(reason for tool in absent for reason in self.reasons.get(tool.name, ())))
        if self.mode == "official":
            names = ", ".join(tool.name for tool in absent)
            raise ToolError(
                f"{names} can't be had as official releases ({reasons}), and KAFKA_HA_TOOLS=official allows no other "
                "way: set KAFKA_HA_MIRROR to a mirror of them, put them on PATH, or unset KAFKA_HA_TOOLS"
            )
        if reasons:
            self.reporter.note(f"official releases can't be had here: {reasons}")
        # a refresh that ends here falls back on what was built before
        absent = [tool for tool in absent if not self._choose_built(tool)]
        wanted = {tool.build for tool in absent}
        self._build_all([build for build in self.pins.builds.values() if build.name in wanted])
        for tool in absent:
            if not self._choose_built(tool):
                raise ToolError(f"{tool.name}: toolchain/go changed while it was built: run the same command again")

    def _build_all(self, builds: Sequence[Build]) -> None:
        builds = [each for each in builds if not self._built(each).is_dir()]
        if not builds:
            return
        environ = build.go_environment(self.environ)
        go = build.check_go(build.find_go(environ), list(builds), self.modules)
        times = ", ".join(f"{each.name} about {each.minutes} min" for each in builds)
        self.reporter.note(f"building from the package registries (from nothing, on 2 cores): {times}")
        packages = {}
        for each in builds:  # all that needs the network first: what fails does so in the first minutes
            with self.reporter.step(each.name, "fetching its modules") as step:
                told = _counting(step, "modules fetched")
                packages[each.name] = build.prepare(go, each, environ, told, self.modules)
        for each in builds:
            self._compile(go, each, environ, packages[each.name])

    def _compile(self, go: Go, each: Build, environ: Mapping[str, str], packages: int) -> None:
        def make(folder: Path) -> None:
            with self.reporter.step(each.name, f"compiling {packages} packages at most") as step:
                told = _counting(step, "packages compiled")
                build.compile_into(go, each, environ, folder / "bin", told, packages, self.modules)

        atomic.install(self._built(each), self.layout.cache / "locks", each.name, self.reporter, make)

    def _built(self, each: Build) -> Path:
        return self.layout.tool(each.name, each.version, f"built.{build.recipe(each, self.modules)}")

    def _link_the_rest(self) -> None:
        """Of a build in use: the programs that no stack asks for (the testbed does)."""
        for each in self.pins.builds.values():
            folder = self._built(each) / "bin"
            if any(Path(choice.path).parent == folder for choice in self.chosen.entries.values()):
                for name in set(each.programs) - set(self.pins.tools):
                    links.link(self.layout, name, folder / name)

    def _plugin(self, plugin: Plugin) -> None:
        choice = self._plugin_on_path(plugin) or self._plugin_of_pulumi(plugin)
        if choice is None and not plugin.bundled and self.mode != "registries":
            choice = self._plugin_release(plugin)
        if choice is None and self.mode == "official":
            reason = "; ".join(self.reasons.get(plugin.program, ("it isn't beside the pulumi command",)))
            raise ToolError(
                f"{plugin.what} {plugin.version} can't be had officially ({reason}), and KAFKA_HA_TOOLS=official "
                "allows no stand-in: set KAFKA_HA_MIRROR, or unset KAFKA_HA_TOOLS"
            )
        folder = self.layout.bin if plugin.bundled else self.layout.standin(plugin.kind, plugin.name, plugin.version)
        if choice is None:
            launcher = links.launch(self.layout, folder, plugin.program, plugin.standin)
            choice = Choice.of(launcher, plugin.version, "stand-in")
            if plugin.kind == "language":
                links.settle(self.layout, "pulumi")
        elif not plugin.bundled:
            shutil.rmtree(folder, ignore_errors=True)
        self._choose(plugin.program, choice)

    def _plugin_on_path(self, plugin: Plugin) -> Choice | None:
        where = path.which(plugin.program, self.search)
        return Choice.of(where, plugin.version, "PATH") if where else None

    def _plugin_of_pulumi(self, plugin: Plugin) -> Choice | None:
        """An installed plugin; of the bundled ones: what lies beside the chosen pulumi command."""
        if plugin.bundled:
            beside = Path(self.chosen.entries["pulumi"].path).resolve().parent / plugin.program
            return Choice.of(beside, plugin.version, self._origin_of("pulumi")) if beside.is_file() else None
        folder = self.layout.plugin(plugin.kind, plugin.name, plugin.version)
        program = folder / plugin.program
        half = folder.with_name(folder.name + ".partial").exists()
        return Choice.of(program, plugin.version, "official") if program.is_file() and not half else None

    def _origin_of(self, name: str) -> chosen.Origin:
        return self.chosen.entries[name].origin

    def _plugin_release(self, plugin: Plugin) -> Choice | None:
        release = plugin.release(self.platform)
        if release is None:
            return None
        target = self.layout.plugin(plugin.kind, plugin.name, plugin.version)

        def make(folder: Path) -> None:
            download = self._download(plugin.program, plugin.version, release)
            official.unpack(download, release, plugin.program, folder)

        try:
            locks = self.layout.cache / "locks"
            atomic.install(target, locks, plugin.program, self.reporter, make)
        except UnavailableError as error:
            self.reasons[plugin.program] = error.reasons
            return None
        return self._plugin_of_pulumi(plugin)

    def _choose(self, name: str, choice: Choice) -> None:
        self.chosen.entries[name] = choice
        if chosen.linked(self.pins, name, choice):
            links.link(self.layout, name, Path(choice.path))
        elif Path(choice.path) != self.layout.bin / name:
            links.remove(self.layout, name)  # Pulumi would prefer what lies on PATH
        self._save()

    def _save(self) -> None:
        chosen.write(self.layout, self.chosen)


def _counting(step: Step, what: str) -> build.Told:
    def told(done: int, total: int | None) -> None:
        step.at(done, total, f"{done} of at most {total} {what}" if total else f"{done} {what}")

    return told
