from __future__ import annotations

from pathlib import Path

import pytest

from toolchain import bootstrap


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in bootstrap.REQUIREMENTS:
        (tmp_path / name).write_text("")
    return tmp_path


def test_an_old_python_is_one_sentence() -> None:
    assert bootstrap.refusal((3, 11)) is None
    assert bootstrap.refusal((3, 14)) is None
    assert bootstrap.refusal((3, 9)) == (
        "Python 3.9 is too old: 3.11 or newer is needed; install it, or name it with `make PYTHON=python3.11 setup`"
    )


def test_the_stamp_follows_the_requirements(checkout: Path) -> None:
    before = bootstrap.stamp_of(str(checkout), (3, 11))
    assert before == bootstrap.stamp_of(str(checkout), (3, 11))
    assert before != bootstrap.stamp_of(str(checkout), (3, 12))
    (checkout / "requirements-dev.txt").write_text("rich==15.0.0\n")
    assert before != bootstrap.stamp_of(str(checkout), (3, 11))


def test_makes_the_environment_once(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(str(checkout)) == 0
    assert (checkout / ".venv" / "bin" / "python").exists()
    assert "venv: done" in capfd.readouterr().err
    assert bootstrap.main(str(checkout)) == 0
    assert capfd.readouterr() == ("", "")


def test_what_can_not_be_installed_is_one_sentence_and_tried_again(
    checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout / "requirements.txt").write_text("./no-such-package\n")
    for _ in range(2):
        assert bootstrap.main(str(checkout)) == 1
        assert "error: the Python packages could not be installed" in capfd.readouterr().err
