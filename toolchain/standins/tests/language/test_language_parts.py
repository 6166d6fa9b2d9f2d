"""The language host's parts, without an engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toolchain.standins.language import exec as program_runner
from toolchain.standins.language.options import Options, OptionsError
from toolchain.standins.language.packages import Package, installed, plugin_of, plugin_version, top_level


@pytest.mark.parametrize(
    ("package", "plugin"),
    [
        ("1.2.1", "1.2.1"),
        ("1.0", "1.0.0"),
        ("1.2.3a4", "1.2.3-alpha.4"),
        ("1.2.3b4", "1.2.3-beta.4"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post4", "1.2.3+post4"),
        ("1.2.3.post4.dev5", "1.2.3+post4dev5"),
        ("1.2.3.dev5", "1.2.3+dev5"),
        ("1.2.3.4", "1.2.3.4"),
        ("1!2.0", ""),
        ("1.2.3+local", ""),
    ],
)
def test_plugin_versions(package: str, plugin: str) -> None:
    assert plugin_version(package) == plugin


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("pulumi-random", None, ("random", "v4.1.0")),
        ("pulumi-command", {"resource": True, "name": "command", "version": "1.2.1"}, ("command", "v1.2.1")),
        ("acme-things", {"resource": True}, ("acme-things", "v4.1.0")),
        ("pulumi-random", {"resource": False}, None),
        ("pulumi-policy", None, None),
        ("requests", None, None),
    ],
)
def test_plugins_of_packages(name: str, said: dict[str, Any] | None, expected: tuple[str, str] | None) -> None:
    found = plugin_of(Package(name, "4.1.0", (), said))
    assert (found and (found.name, found.version)) == expected


def test_plugins_of_this_environment() -> None:
    packages = installed(Options(Path("."), sys.prefix))
    plugins = {plugin.name: plugin.version for package in packages if (plugin := plugin_of(package))}
    assert {"kubernetes", "command"} <= plugins.keys()
    assert "pulumi-policy" in {package.name for package in packages}


def test_top_level() -> None:
    packages = [Package("a", "1", ("B_c[x]>=1; extra == 'y'",), None), Package("b-c", "1", (), None)]
    assert [package.name for package in top_level(packages)] == ["a"]


def test_options_choose_the_python(tmp_path: Path) -> None:
    options = Options.of(str(tmp_path), {"toolchain": "pip", "virtualenv": ".venv"})
    assert options.python == f"{tmp_path}/.venv/bin/python"
    assert options.environment()["PATH"].startswith(f"{tmp_path}/.venv/bin:")
    assert "does not exist" in options.missing()
    assert Options.of("/x", {"virtualenv": "/abs"}).python == "/abs/bin/python"
    assert Options.of("/x", {}, needs_virtualenv=True).python == "/x/venv/bin/python"
    assert Options.of("/x", {}).missing() == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"toolchain": "uv"}, "toolchain is 'uv'"),
        ({"virtualenv": 1}, "virtualenv must be a string"),
        ({"typechecker": "mypy"}, "typechecker"),
    ],
)
def test_options_that_cannot_be_met_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(OptionsError, match=sentence):
        Options.of("/x", options)


def test_a_python_without_the_sdk_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        # Isolated and without site-packages: a Python that has nothing installed.
        [sys.executable, "-I", "-S", program_runner.__file__, json.dumps({})],
        capture_output=True,
        text=True,
    )
    assert done.returncode == program_runner.SHOWN
    assert "cannot import the Pulumi SDK" in done.stderr
    assert "Traceback" not in done.stderr


def test_traceback_starts_at_the_users_code(tmp_path: Path) -> None:
    path = tmp_path / "__main__.py"
    try:
        exec(compile("def f():\n    1 / 0\nf()\n", str(path), "exec"), {})
    except ZeroDivisionError as error:
        text = program_runner.users_traceback(error, str(tmp_path))
    assert __file__ not in text
    assert f'File "{path}", line 3' in text
