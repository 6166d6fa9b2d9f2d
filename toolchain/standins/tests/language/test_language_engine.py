"""Programs and policy packs in Python through the real engine."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

from toolchain.standins.tests.engine import Project


def test_what_a_program_is_given(project: Project) -> None:
    project.run("config", "set", "plain", "open")
    project.run("config", "set", "--secret", "key", "hunter-two")
    (project.folder / "helper.py").write_text("VALUE = 'beside the program'\n")
    project.program("""
        import json, os, sys
        import pulumi
        import helper

        config = pulumi.Config()
        pulumi.export("seen", {
            "project": pulumi.get_project(),
            "stack": pulumi.get_stack(),
            "organization": pulumi.get_organization(),
            "root": pulumi.get_root_directory(),
            "dry_run": pulumi.runtime.is_dry_run(),
            "cwd": os.getcwd(),
            "path": sys.path[0],
            "file": __file__,
            "name": __name__,
            "arguments": len(sys.argv),
            "python": sys.prefix,
            "plain": config.require("plain"),
            "helper": helper.VALUE,
        })
        pulumi.export("key", config.require_secret("key"))
        pulumi.export("read", config.get("key"))
    """)
    project.up()
    folder = str(project.folder)
    outputs = project.outputs()
    assert outputs["seen"] == {
        "project": "tiny",
        "stack": "test",
        "organization": "organization",
        "root": folder,
        "dry_run": False,
        "cwd": folder,
        "path": folder,
        "file": f"{folder}/__main__.py",
        "name": "__main__",
        "arguments": 1,
        "python": sys.prefix,
        "plain": "open",
        "helper": "beside the program",
    }
    assert outputs["key"] == "hunter-two"
    shown = project.run("stack", "output", "--json")
    exported = json.loads(shown[shown.index("{") :])
    assert exported["key"] == "[secret]"


def test_output_is_shown(project: Project) -> None:
    project.program("""
        import sys
        print("to stdout")
        print("to stderr", file=sys.stderr)
    """)
    said = project.run("preview")
    assert "to stdout" in said
    assert "to stderr" in said


def test_output_is_shown_while_the_program_runs(project: Project) -> None:
    project.program("""
        import time
        print("early", flush=False)
        time.sleep(8)
    """)
    with project.start("preview") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "early" in line:
                break
        assert process.poll() is None


def test_a_run_error_is_one_line(project: Project) -> None:
    project.program("""
        import pulumi
        raise pulumi.RunError("brokers: 2 is too few; set 3 or more")
    """)
    said = project.run("preview", fails=True)
    assert "error: brokers: 2 is too few; set 3 or more" in said
    assert "Traceback" not in said
    assert "exit code" not in said


def test_an_exception_has_the_users_traceback_only(project: Project) -> None:
    (project.folder / "helper.py").write_text("def broken():\n    return {}['missing']\n")
    project.program("""
        import helper
        helper.broken()
    """)
    said = project.run("preview", fails=True)
    assert "Program failed with an unhandled exception:" in said
    assert f'File "{project.folder}/__main__.py", line 3, in <module>' in said
    assert "KeyError: 'missing'" in said
    assert "runpy" not in said
    assert "standins" not in said.partition("Diagnostics")[2].partition("Program failed")[2]


def test_a_syntax_error_names_its_line(project: Project) -> None:
    project.program("def broken(:\n")
    said = project.run("preview", fails=True)
    assert f'File "{project.folder}/__main__.py", line 1' in said
    assert "SyntaxError" in said
    assert "runpy" not in said


def test_a_programs_own_exit_code_is_told(project: Project) -> None:
    project.program("import sys; sys.exit(3)\n")
    assert "program exited with non-zero exit code: 3" in project.run("preview", fails=True)


def test_a_missing_program_is_named(project: Project) -> None:
    said = project.run("preview", fails=True)
    assert f"there is no program: {project.folder} has no __main__.py" in said


def test_a_folder_that_is_no_environment_is_named(project: Project) -> None:
    project.program("")
    (project.folder / "env").mkdir()
    (project.folder / "env" / "something").touch()
    project.runtime(virtualenv="env")
    said = project.run("preview", fails=True)
    assert f"the runtime option virtualenv is 'env', but {project.folder}/env is not a virtual environment" in said
    project.runtime(virtualenv=sys.prefix)


def test_another_toolchain_is_refused(project: Project) -> None:
    project.program("")
    project.runtime(toolchain="poetry")
    assert "knows pip only" in project.run("preview", fails=True)
    project.runtime(virtualenv=sys.prefix)


def test_interrupt_ends_the_program(project: Project) -> None:
    project.program("""
        import os, pathlib, time
        pathlib.Path("pid").write_text(str(os.getpid()))
        time.sleep(300)
    """)
    pid_file = project.folder / "pid"
    with project.start("up", "--yes", "--skip-preview") as process:
        while not pid_file.exists() or not pid_file.read_text():
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Traceback" not in said
    command_line = Path("/proc", pid_file.read_text(), "cmdline")
    assert not command_line.exists() or not command_line.read_text()


PACK = """
    import pulumi
    from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

    started_for = pulumi.get_stack()

    def check(args, report):
        if args.resource_type == "command:local:Command" and args.props["create"] != "echo good":
            report(f"only good commands, not {args.props['create']}, in {started_for}"
                   f" with {pulumi.Config('tiny').get('plain')}")

    PolicyPack(
        name="pack",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[ResourceValidationPolicy(name="good", description="Commands must be good.", validate=check)],
    )
"""


def test_a_policy_pack_blocks(project: Project) -> None:
    pack = Project(project.folder.parent / "pack", {}, "")
    pack.folder.mkdir()
    pack.program(PACK)
    options = {"toolchain": "pip", "virtualenv": sys.prefix}
    (pack.folder / "PulumiPolicy.yaml").write_text(json.dumps({"runtime": {"name": "python", "options": options}}))
    project.run("config", "set", "plain", "open")
    program = """
        from pulumi_command import local
        local.Command("one", create="echo WHAT")
    """
    project.program(program.replace("WHAT", "bad"))
    said = project.run("preview", "--policy-pack", str(pack.folder), fails=True)
    assert "only good commands, not echo bad, in test with open" in said
    assert "mandatory" in said
    assert "only good" in project.up("--policy-pack", str(pack.folder), fails=True)

    project.program(program.replace("WHAT", "good"))
    project.up("--policy-pack", str(pack.folder))


def test_a_policy_pack_that_cannot_start_is_named(project: Project) -> None:
    pack = Project(project.folder.parent / "pack", {}, "")
    pack.folder.mkdir()
    pack.program("raise ValueError('no rules today')")
    options = {"toolchain": "pip", "virtualenv": sys.prefix}
    (pack.folder / "PulumiPolicy.yaml").write_text(json.dumps({"runtime": {"name": "python", "options": options}}))
    project.program("")
    said = project.run("preview", "--policy-pack", str(pack.folder), fails=True)
    assert "no rules today" in said


def test_about_and_dependencies(project: Project) -> None:
    project.program("")
    said = project.run("about")
    assert sys.prefix in said
    assert "pulumi-command" in said


def test_a_component_plugin_in_python_runs(project: Project) -> None:
    plugin = Project(project.folder.parent / "plugin", {}, "")
    plugin.folder.mkdir()
    (plugin.folder / "PulumiPlugin.yaml").write_text(
        json.dumps({"runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}})
    )
    plugin.program("""
        from typing import TypedDict

        import pulumi
        from pulumi.provider.experimental import component_provider_host

        class Args(TypedDict):
            text: pulumi.Input[str]

        class Greeting(pulumi.ComponentResource):
            said: pulumi.Output[str]

            def __init__(self, name: str, args: Args, opts: pulumi.ResourceOptions | None = None):
                super().__init__("greeter:index:Greeting", name, {}, opts)
                self.said = pulumi.Output.concat("hello ", args["text"])
                self.register_outputs({"said": self.said})

        component_provider_host(name="greeter", components=[Greeting])
    """)
    project.runtime(virtualenv=sys.prefix)
    config = json.loads((project.folder / "Pulumi.yaml").read_text())
    config["plugins"] = {"providers": [{"name": "greeter", "path": str(plugin.folder)}]}
    (project.folder / "Pulumi.yaml").write_text(json.dumps(config))
    project.program("""
        import pulumi

        class Greeting(pulumi.ComponentResource):
            said: pulumi.Output[str]

            def __init__(self, name, text):
                super().__init__("greeter:index:Greeting", name, {"text": text, "said": None}, None, True)

        pulumi.export("said", Greeting("one", "you").said)
    """)
    project.up()
    assert project.outputs()["said"] == "hello you"
