"""What `pip install` of the repository gives."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import kafka_ha
from tests.stack import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
    source = folder / "source"
    source.mkdir()
    for part in ("pyproject.toml", "LICENSE", "kafka_ha.py", "components", "policies"):
        whole = ROOT / part
        shutil.copytree(whole, source / part) if whole.is_dir() else shutil.copy(whole, source)
    subprocess.run([sys.executable, "-m", "pip", *build], cwd=source, check=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_nothing_that_the_program_reads_is_left_out(installed: Path) -> None:
    for package in ("components", "policies"):
        for file in (ROOT / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert (installed / file.relative_to(ROOT)).exists(), file


def test_it_works_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "safe.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
    own = {"PYTHONPATH": str(installed), "PATH": ""}
    for command in (["-m", "policies", "check", "safe.yaml"], ["-c", "import kafka_ha; print(kafka_ha.__file__)"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=own, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))


def test_all_that_is_offered_is_there_and_said_what_it_is() -> None:
    for name in kafka_ha.__all__:
        offered = getattr(kafka_ha, name)
        assert name == "KINDS" or offered.__doc__, name
