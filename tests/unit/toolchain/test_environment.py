"""What a shell and Pulumi get for a stack."""

from __future__ import annotations

import os
import subprocess

from toolchain import environment
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
