"""Dynamic resources through the real engine, by the stand-in of their launcher."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toolchain.standins.dynamic.__main__ import main
from toolchain.standins.tests.engine import Project

# A resource that is a file; in a module of its own, which the server finds in the project's folder.
MODULE = """
    import os
    import sys
    from pathlib import Path

    import pulumi
    from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult


    class FileProvider(ResourceProvider):
        def diff(self, id_, olds, news):
            return DiffResult(changes=olds["text"] != news["text"])

        def create(self, props):
            Path(props["path"]).write_text(props["text"])
            seen = {"cwd": os.getcwd(), "python": sys.prefix, "first": os.environ["PATH"].split(":")[0]}
            return CreateResult(props["path"], {**props, "seen": seen})

        def update(self, id_, olds, news):
            Path(id_).write_text(news["text"])
            return UpdateResult({**olds, "text": news["text"]})

        def read(self, id_, props):
            if not Path(id_).exists():
                return ReadResult("", {})
            return ReadResult(id_, {**props, "text": Path(id_).read_text()})

        def delete(self, id_, props):
            Path(id_).unlink()


    class File(Resource):
        seen: pulumi.Output[dict]
        text: pulumi.Output[str]

        def __init__(self, name, path, text):
            super().__init__(FileProvider(), name, {"path": path, "text": text, "seen": None})
"""


def deploy(project: Project, path: Path, text: str) -> None:
    project.program(f"""
        import pulumi
        import file

        made = file.File("one", {str(path)!r}, {text!r})
        pulumi.export("seen", made.seen)
        pulumi.export("text", made.text)
    """)


def test_the_life_of_a_dynamic_resource(project: Project, tmp_path: Path) -> None:
    project.program(MODULE)
    (project.folder / "__main__.py").rename(project.folder / "file.py")
    path = tmp_path / "made"
    deploy(project, path, "one")
    project.up()
    assert path.read_text() == "one"
    assert project.outputs()["seen"] == {
        "cwd": str(project.folder),
        "python": sys.prefix,
        "first": f"{sys.prefix}/bin",
    }
    project.up("--expect-no-changes")
    deploy(project, path, "two")
    project.up()
    assert path.read_text() == "two"
    path.write_text("by hand")
    project.run("refresh", "--yes", "--skip-preview", "--expect-no-changes", fails=True)
    project.run("refresh", "--yes", "--skip-preview")
    assert "~ 1 to update" in project.run("preview")
    project.up()
    assert path.read_text() == "two"
    path.unlink()
    project.run("refresh", "--yes", "--skip-preview")
    project.up()
    assert path.read_text() == "two"
    project.run("destroy", "--yes", "--skip-preview")
    assert not path.exists()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PULUMI_RUNTIME_VIRTUALENV": "nowhere"}, "'nowhere', but .*/nowhere does not exist"),
        ({"PULUMI_RUNTIME_TOOLCHAIN": "uv"}, "toolchain is 'uv'"),
        ({"PULUMI_PYTHON_CMD": "no-such-python"}, "no no-such-python on PATH"),
    ],
)
def test_a_python_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=says):
        main()


def test_without_options_the_ambient_python_serves(tmp_path: Path) -> None:
    """As a process of its own, since it becomes the server: the first line is the port."""
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from toolchain.standins.dynamic.__main__ import main; main()"
    )
    root = str(Path(__file__).parents[4])
    process = subprocess.Popen(
        [sys.executable, "-c", code, root, "127.0.0.1:1"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PULUMI_PYTHON_CMD": sys.executable},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline().strip().isdigit()
        process.terminate()
