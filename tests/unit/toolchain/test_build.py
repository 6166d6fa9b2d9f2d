"""Builds from the registries: on a module so small that it needs none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from toolchain.errors import ToolError
from toolchain.pins import Build
from toolchain.sources import build
from toolchain.sources.build import Go

TINY = Build(
    name="tiny",
    version="1.2.3",
    minutes=1,
    packages={"tiny": "."},
    ldflags=("-X main.version=v1.2.3",),
    names={"tiny": ("other",)},
)
MAIN = """package main

import (
	"fmt"
	"os"
	"path/filepath"
)

var version = "unset"

func main() { fmt.Println(filepath.Base(os.Args[0]), version) }
"""
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go on PATH")


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "go" / "tiny"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module tiny\n\ngo 1.21\n")
    (folder / "main.go").write_text(MAIN)
    return folder.parent


@needs_go
def test_builds_the_program_and_its_other_names(tmp_path: Path, modules: Path) -> None:
    go = build.check_go(build.find_go(os.environ), [TINY], modules)
    packages = build.prepare(go, TINY, os.environ, lambda done, total: None, modules)
    assert packages > 1
    build.compile_into(go, TINY, os.environ, tmp_path / "bin", lambda done, total: None, packages, modules)
    for name in ("tiny", "other"):
        said = subprocess.run([tmp_path / "bin" / name], capture_output=True, text=True, check=True).stdout
        assert said == f"{name} v1.2.3\n"


@needs_go
def test_a_failed_build_says_what_go_said(tmp_path: Path, modules: Path) -> None:
    (modules / "tiny" / "main.go").write_text(MAIN.replace("fmt.Println", "fmt.Nothing"))
    go = build.check_go(build.find_go(os.environ), [TINY], modules)
    with pytest.raises(ToolError, match=r"tiny 1.2.3 could not be built [\s\S]*undefined: fmt.Nothing"):
        build.compile_into(go, TINY, os.environ, tmp_path / "bin", lambda done, total: None, None, modules)


@needs_go
def test_a_module_outside_go_sum_is_refused(modules: Path) -> None:
    (modules / "tiny" / "go.mod").write_text("module tiny\n\ngo 1.21\n\nrequire example.com/absent v1.0.0\n")
    (modules / "tiny" / "main.go").write_text('package main\n\nimport _ "example.com/absent"\n\nfunc main() {}\n')
    go = build.check_go(build.find_go(os.environ), [TINY], modules)
    with pytest.raises(ToolError, match=r"missing go.sum entry"):
        build.prepare(go, TINY, {**os.environ, "GOPROXY": "off"}, lambda done, total: None, modules)


@pytest.mark.parametrize(
    ("go", "message"),
    [
        (
            None,
            r"tiny can't be downloaded here and must be built, but there is no Go on PATH: install Go 1.21 or newer",
        ),
        (Go(Path("/bin/go"), (1, 20), True), r"tiny must be built, but /bin/go is Go 1.20: install Go 1.21 or newer"),
        (Go(Path("/bin/go"), (1, 20), False), r"/bin/go is Go 1.20"),
    ],
)
def test_no_fitting_go_is_one_sentence(go: Go | None, message: str, modules: Path) -> None:
    with pytest.raises(ToolError, match=message):
        build.check_go(go, [TINY], modules)


def test_an_older_go_that_fetches_its_successor_will_do(modules: Path) -> None:
    (modules / "tiny" / "go.mod").write_text("module tiny\n\ngo 1.26.0\n")
    assert build.needed_go(TINY, modules) == (1, 26)
    assert build.check_go(Go(Path("go"), (1, 22), fetches=True), [TINY], modules)
    with pytest.raises(ToolError, match=r"install Go 1\.26 or newer"):
        build.check_go(Go(Path("go"), (1, 22), fetches=False), [TINY], modules)


def test_the_recipe_changes_with_the_module(modules: Path) -> None:
    before = build.recipe(TINY, modules)
    assert before == build.recipe(TINY, modules)
    (modules / "tiny" / "go.sum").write_text("example.com/x v1.0.0 h1:abc=\n")
    assert build.recipe(TINY, modules) != before
