"""What runs in the pods and by the program's commands needs no package: `lint-imports` can't tell it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT

ALONE = ("components.checker", "components.scripts")
FILES = [file for package in ALONE for file in sorted((ROOT / package.replace(".", "/")).glob("*.py"))]


def imported(file: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports."""
    package = ".".join(file.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{package}.{node.module}" if node.level else node.module or ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-2:]))
def test_it_needs_the_standard_library_alone(file: Path) -> None:
    others = {name for name in imported(file) if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name for name in others if not name.startswith(ALONE)} == set()


@pytest.mark.parametrize("file", sorted((ROOT / "components/checker").glob("*.py")), ids=lambda file: file.name)
def test_the_checker_runs_wherever_it_is_mounted(file: Path) -> None:
    nodes = ast.walk(ast.parse(file.read_text()))
    absolute = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    assert not [name for name in absolute if name.startswith("components")]
