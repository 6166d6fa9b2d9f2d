"""`command:local:Command` and `command:local:run` through the real engine."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from toolchain.standins.tests.engine import Project


def _runs(pid: str) -> bool:
    """Tell whether a process runs; one that waits to be reaped has ended."""
    status = Path("/proc", pid, "status")
    return status.exists() and "State:\tZ" not in status.read_text()


LIFE = """
    import pulumi
    from pulumi_command import local

    config = pulumi.Config()
    one = local.Command(
        "one",
        create="echo made $WHO; echo created >> log",
        update="echo now $WHO, before $PULUMI_COMMAND_STDOUT; echo updated >> log",
        delete="echo deleted $PULUMI_COMMAND_STDOUT >> log",
        environment={"WHO": config.get("who") or "me"},
        triggers=[config.get("trigger") or "1"],
    )
    pulumi.export("out", one.stdout)
    pulumi.export("invoked", local.run_output(command="printf invoked").stdout)
"""


def test_life_of_a_command(project: Project) -> None:
    log = project.folder / "log"
    project.program(LIFE)

    preview = project.run("preview")
    assert "command:local:Command one create" in preview
    assert 'invoked: "invoked"' in preview
    assert not log.exists()

    project.up()
    assert project.outputs() == {"out": "made me", "invoked": "invoked"}
    project.up("--expect-no-changes")

    project.run("config", "set", "who", "you")
    diff = project.run("preview", "--diff")
    assert '~ WHO: "me" => "you"' in diff
    assert "1 to update" in diff
    project.up()
    assert project.outputs()["out"] == "now you, before made me"

    project.run("config", "set", "trigger", "2")
    assert "1 to replace" in project.run("preview")
    project.up()
    assert project.outputs()["out"] == "made you"

    project.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    project.run("destroy", "--yes", "--skip-preview")
    assert log.read_text().splitlines() == [
        "created",
        "updated",
        "created",
        "deleted now you, before made me",
        "deleted made you",
    ]


def test_without_update_a_change_runs_create_again(project: Project) -> None:
    program = """
        from pulumi_command import local
        local.Command("one", create="echo TEXT >> log", add_previous_output_in_env=False)
    """
    project.program(program.replace("TEXT", "first"))
    project.up()
    project.program(program.replace("TEXT", "second"))
    assert "1 updated" in project.up()
    assert (project.folder / "log").read_text() == "first\nsecond\n"


def test_failure_says_exit_code_and_output(project: Project) -> None:
    project.program("""
        from pulumi_command import local
        local.Command("one", create="seq 100000 >&2; echo the end >&2; exit 7")
    """)
    said = project.up(fails=True)
    assert 'exit status 7: running "seq 100000 >&2; echo the end >&2; exit 7"' in said
    assert "the end" in said
    assert "Traceback" not in said
    assert "command:local:Command" not in project.run("stack", "export")


def test_timeout_ends_the_command_and_its_children(project: Project) -> None:
    project.program("""
        import pulumi
        from pulumi_command import local
        local.Command(
            "one",
            create="sleep 300 & echo $! > child; wait",
            opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s")),
        )
    """)
    said = project.up(fails=True)
    assert "timed out after 1 s" in said
    assert not _runs((project.folder / "child").read_text().strip())


def test_a_background_process_does_not_hold_up(project: Project) -> None:
    project.program("""
        import pulumi
        from pulumi_command import local
        one = local.Command("one", create="sleep 60 & echo $!", delete="kill $PULUMI_COMMAND_STDOUT")
        pulumi.export("child", one.stdout)
    """)
    started = time.monotonic()
    project.up()
    assert time.monotonic() - started < 30
    assert _runs(project.outputs()["child"])


def test_secrets_stay_secret(project: Project) -> None:
    project.program("""
        import pulumi
        from pulumi_command import local
        secret = pulumi.ResourceOptions(additional_secret_outputs=["stdout"])
        one = local.Command(
            "one",
            create="echo password is $PASSWORD",
            environment={"PASSWORD": pulumi.Output.secret("hunter-two")},
            opts=secret,
        )
        local.Command("two", create="cat", stdin=one.stdout, logging="none", opts=secret)
        pulumi.export("out", one.stdout)
    """)
    said = project.up()
    assert "password is [secret]" in said
    assert project.outputs()["out"] == "password is hunter-two"
    assert "hunter-two" not in said + project.state()
    project.up("--expect-no-changes")


def test_secrets_are_masked_in_failures(project: Project) -> None:
    project.program("""
        import pulumi
        from pulumi_command import local
        local.Command(
            "one",
            create="echo from stdout; echo $PASSWORD >&2; exit 1",
            environment={"PASSWORD": pulumi.Output.secret("hunter-two")},
            logging="none",
        )
    """)
    said = project.up(fails=True)
    assert "exit status 1" in said
    assert "hunter-two" not in said
    assert "from stdout\n" not in said


def test_unknown_inputs_and_files(project: Project) -> None:
    project.program("""
        import pulumi
        from pulumi_command import local
        one = local.Command(
            "one",
            create="mkdir -p made/deep; echo 1 > made/a.txt; echo 2 > made/deep/b.txt; echo 3 > made/c.log",
            asset_paths=["made/**.txt", "!made/deep/*"],
            archive_paths=["made/**"],
        )
        two = local.Command("two", create=pulumi.Output.concat("cat ", "made/", one.stdout, "a.txt"))
        pulumi.export("assets", one.assets.apply(lambda found: {k: v.path for k, v in found.items()}))
        pulumi.export("archive", one.archive.apply(lambda found: sorted(found.assets)))
        pulumi.export("out", two.stdout)
    """)
    assert "2 to create" not in project.run("preview")
    project.up()
    assert project.outputs() == {
        "assets": {"made/a.txt": str(project.folder / "made/a.txt")},
        "archive": ["made/a.txt", "made/c.log", "made/deep/b.txt"],
        "out": "1",
    }
    project.up("--expect-no-changes")


def test_what_is_not_there_is_refused_in_words(project: Project) -> None:
    project.program("""
        from pulumi_command import remote
        remote.Command("one", connection={"host": "nowhere"}, create="true")
    """)
    said = project.run("preview", fails=True)
    assert "command:remote:Command needs the official command plugin" in said


def test_wrong_inputs_are_refused(project: Project) -> None:
    project.program("""
        from pulumi_command import local
        local.Command("one", create="true", environment={"A": 1}, logging="loud")
    """)
    said = project.run("preview", fails=True)
    assert "environment.A must be a string, not a number" in said
    assert "logging is 'loud'; it must be one of stdout, stderr, stdoutAndStderr, none" in said


def test_a_missing_directory_is_named(project: Project) -> None:
    project.program("""
        from pulumi_command import local
        local.Command("one", create="true", dir="nowhere")
    """)
    assert "could not be started (No such file or directory: 'nowhere')" in project.up(fails=True)


def test_interrupt_ends_running_commands(project: Project) -> None:
    project.program("""
        from pulumi_command import local
        for name in "one", "two":
            local.Command(name, create=f"echo $$ > {name}; sleep 300 & wait")
    """)
    files = [project.folder / "one", project.folder / "two"]
    with project.start("up", "--yes", "--skip-preview") as process:
        # Both at once: commands run in parallel.
        while not all(file.exists() and file.read_text() for file in files):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "cancelled: running" in said
    assert not any(_runs(file.read_text().strip()) for file in files)
