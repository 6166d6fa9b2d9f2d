from __future__ import annotations

from pathlib import Path

from toolchain import chosen, doctor, pins
from toolchain.docker import Docker
from toolchain.layout import Layout
from toolchain.sources.build import Go
from toolchain.sources.path import Found

PINS = pins.load()


def test_nothing_there(layout: Layout) -> None:
    table = doctor.rows(PINS, chosen.Chosen(), {}, layout)
    assert {row.name for row in table} == {*PINS.tools, *PINS.plugins}
    assert {row.origin for row in table} == {"missing"}
    found = doctor.verdicts(table)
    assert "k3d" not in [row.name for row in found["sim"]]
    assert {row.cure for row in found["sim"]} == {"`make setup`"}
    assert [row.cure for row in found["dev"] if row.name == "k3d"] == ["`make setup STACK=dev`"]


def test_what_is_on_path_counts_before_setup(layout: Layout) -> None:
    found = {"k3d": Found(Path("/bin/k3d"), "5.8.9", True), "kubectl": Found(Path("/bin/kubectl"), "1.32.4", False)}
    table = {row.name: row for row in doctor.rows(PINS, chosen.Chosen(), found, layout)}
    assert (table["k3d"].origin, table["k3d"].version) == ("PATH", "5.8.9")
    assert (table["kubectl"].origin, table["kubectl"].version) == ("missing", "1.32.4, not >=1.33,<1.36")


def test_a_client_without_daemon_is_not_docker() -> None:
    row = doctor.docker_row(Docker("/bin/docker", "28.2.2", None, "no such socket"))
    assert (row.name, row.version, row.origin) == ("docker daemon", "client 28.2.2", "missing")
    assert "no daemon answers (no such socket): start it" in row.cure
    assert doctor.verdicts([row]) == {"sim": [], "dev": [row], "prod": []}
    assert doctor.docker_row(Docker("/bin/docker", "28.2.2", "27.0")).origin == "PATH"
    assert doctor.docker_row(Docker()).cure.startswith("Docker is not installed")


def test_go_never_blocks_a_stack() -> None:
    row = doctor.go_row(None, (1, 26))
    assert row.origin == "missing"
    assert "Go 1.26 or newer" in row.cure
    assert not any(doctor.verdicts([row]).values())
    assert doctor.go_row(Go(Path("/go"), (1, 26), False), (1, 26)).cure == ""
