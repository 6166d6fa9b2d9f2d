"""The package stands alone, and the process that runs for ever stays small."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import components.checker

HEAVY = ("asyncio", "dataclasses", "email", "http", "inspect", "ssl", "subprocess", "uuid")
PACKAGE = Path(components.checker.__file__).parent


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """As in the pod: its files in a folder of another name, nothing of the program beside it."""
    shutil.copytree(PACKAGE, tmp_path / "checker", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(folder: Path, program: str) -> str:
    # -S: without the packages that are installed here.
    command = [sys.executable, "-S", "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("module", [file.stem for file in sorted(PACKAGE.glob("*.py"))])
def test_each_module_needs_nothing_but_python(mounted: Path, module: str) -> None:
    run(mounted, f"import checker.{module}")


def test_the_process_that_stays_imports_little(mounted: Path) -> None:
    found = set(run(mounted, "import checker.__main__, sys; print(*sys.modules)").split())
    assert "checker.watch" in found
    assert {name for name in found if name.partition(".")[0] in HEAVY} == set()
