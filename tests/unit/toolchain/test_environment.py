"""What a shell and Pulumi get for a stack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from toolchain import chosen, environment, links, pins
from toolchain.chosen import Choice, Chosen
from toolchain.layout import Layout

BASE = {"PATH": "/usr/bin:/bin", "HOME": "/home/x"}


def test_sim_has_the_committed_passphrase_and_local_state(layout: Layout) -> None:
    found = environment.variables(layout, "sim", BASE)
    assert found["PATH"] == f"{layout.bin}:/usr/bin:/bin"
    assert found["PULUMI_BACKEND_URL"] == f"file://{layout.state}"
    assert found["PULUMI_CONFIG_PASSPHRASE"] == "sim"
    assert found["PULUMI_SKIP_UPDATE_CHECK"] == "true"
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in found


def test_other_stacks_get_a_random_one_of_their_own(layout: Layout) -> None:
    found = environment.variables(layout, "dev", BASE)
    file = environment.passphrase_file(layout, "dev")
    assert found["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    assert len(before) > 40
    environment.variables(layout, "dev", BASE)
    assert file.read_text() == before, "a second call changes nothing"
    environment.variables(layout, "prod", BASE)
    assert environment.passphrase_file(layout, "prod").read_text() != before


def test_the_users_passphrase_stays(layout: Layout) -> None:
    mine = {**BASE, "PULUMI_CONFIG_PASSPHRASE": "mine"}
    found = environment.applied(environment.variables(layout, "dev", mine), mine)
    assert found["PULUMI_CONFIG_PASSPHRASE"] == "mine"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in found
    assert not environment.passphrase_file(layout, "dev").exists()


def test_the_users_backend_stays_and_no_state_is_made(layout: Layout) -> None:
    mine = {**BASE, "PULUMI_BACKEND_URL": "s3://state"}
    found = environment.applied(environment.variables(layout, "dev", mine), mine)
    assert found["PULUMI_BACKEND_URL"] == "s3://state"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in found
    assert not layout.state.exists()


def test_a_shell_of_one_stack_serves_another(layout: Layout) -> None:
    of_sim = environment.applied(environment.variables(layout, "sim", BASE), BASE)
    of_dev = environment.applied(environment.variables(layout, "dev", of_sim), of_sim)
    assert "PULUMI_CONFIG_PASSPHRASE" not in of_dev
    assert of_dev["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(environment.passphrase_file(layout, "dev"))
    assert of_dev["PATH"] == of_sim["PATH"]
    back = environment.applied(environment.variables(layout, "sim", of_dev), of_dev)
    assert back == of_sim


def test_a_shell_understands_the_lines(layout: Layout) -> None:
    odd = {**BASE, "PATH": "/usr/bin:/bin:/it's here", "PULUMI_CONFIG_PASSPHRASE_FILE": "/x", environment.OURS: "dev"}
    lines = environment.shell(environment.variables(layout, "sim", odd), odd)
    assert "unset PULUMI_CONFIG_PASSPHRASE_FILE" in lines
    told = subprocess.run(
        ["sh", "-c", f"{lines}\nenv"], env=odd, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert f"PATH={layout.bin}{os.pathsep}{odd['PATH']}" in told
    assert "PULUMI_CONFIG_PASSPHRASE=sim" in told


@pytest.fixture
def launchers(layout: Layout) -> list[Path]:
    """The folders of the launchers of all plugins that have one, as `make setup` writes and records them."""
    record, folders = Chosen(), []
    for program, plugin in pins.load().plugins.items():
        folder = layout.bin if plugin.bundled else layout.standin(plugin.kind, plugin.name, plugin.version)
        launcher = links.launch(layout, folder, program, plugin.standin)
        record.entries[program] = Choice.of(launcher, plugin.version, "stand-in")
        folders += [] if plugin.bundled else [folder]
    chosen.write(layout, record)
    return folders


def test_stand_ins_have_a_home_of_their_own(layout: Layout, launchers: list[Path]) -> None:
    found = environment.variables(layout, "sim", BASE)
    assert found["PULUMI_HOME"] == str(layout.own_home)
    assert found["PATH"] == f"{layout.bin}:/usr/bin:/bin"
    in_it = environment.applied(found, BASE)
    assert environment.applied(environment.variables(layout, "sim", in_it), in_it) == in_it
    assert Layout.of(in_it, layout.root).pulumi_home == Path("/home/x/.pulumi"), "official ones don't go there"
    assert Layout.of({**in_it, "PULUMI_HOME": "/mine"}, layout.root).pulumi_home == Path("/mine")


@pytest.mark.parametrize("mine", [{"PULUMI_HOME": "/mine"}, {"PULUMI_BACKEND_URL": "s3://state"}])
def test_the_users_home_stays_and_the_stand_ins_go_to_path(
    layout: Layout, launchers: list[Path], mine: dict[str, str]
) -> None:
    in_it = environment.applied(environment.variables(layout, "sim", BASE), BASE)
    for before in (BASE, in_it):  # a shell of `make env`, too
        environ = {**before, **mine}
        ready = environment.applied(environment.variables(layout, "sim", environ), environ)
        assert ready["PATH"].split(":") == [str(layout.bin), *map(str, launchers), "/usr/bin", "/bin"]
        assert ready.get("PULUMI_HOME") == mine.get("PULUMI_HOME")
    again = {name: value for name, value in ready.items() if name not in mine}
    assert environment.applied(environment.variables(layout, "sim", again), again) == in_it


def test_one_official_plugin_needs_the_users_home(layout: Layout, launchers: list[Path]) -> None:
    in_it = environment.applied(environment.variables(layout, "sim", BASE), BASE)
    assert not environment.outdated(layout, in_it)
    record = chosen.read(layout)
    record.entries["pulumi-resource-command"] = Choice("1.2.1", "official", "/p", 0, 0)
    chosen.write(layout, record)
    found = environment.variables(layout, "sim", in_it)
    assert found["PULUMI_HOME"] is None
    assert found["PATH"] == f"{layout.bin}:{launchers[0]}:/usr/bin:/bin"
    assert environment.outdated(layout, in_it), "which `make setup` says"
    assert not environment.outdated(layout, environment.applied(found, in_it))
    assert not environment.outdated(layout, BASE)
