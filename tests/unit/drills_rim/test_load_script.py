"""`load.sh`, with tools that only tell what they were given."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "drills/pods/load.sh"
TOOL = """#!/bin/bash
[ "$1" = --help ] && {{ echo "usage: {options}"; exit; }}
echo "{{\\"name\\": \\"told\\"}}"
trap 'echo "{{\\"name\\": \\"shutdown_complete\\"}}"; exit' TERM
echo "$*" >arguments
while true; do sleep 0.05; done
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def tool(folder: Path, name: str, options: str) -> None:
    (folder / name).write_text(TOOL.format(options=options))
    (folder / name).chmod(0o755)


@contextmanager
def running(role: str, tools: Path, folder: Path) -> Iterator[None]:
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "FOLDER": str(folder), "PROPERTIES": "/p"}
    process = subprocess.Popen(["bash", SCRIPT, role], env=environment, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("not in time")


def lines(folder: Path, role: str) -> list[str]:
    file = folder / f"{role}.jsonl"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize(
    ("role", "name", "options", "expected"),
    [
        ("producer", "kafka-verifiable-producer.sh", "--producer.config --command-config", "--command-config /p"),
        ("producer", "kafka-verifiable-producer", "--producer.config", "--producer.config /p"),
        ("reader", "kafka-verifiable-consumer.sh", "--consumer.config", "--consumer.config /p"),
    ],
)
def test_it_waits_runs_and_stops(
    tmp_path: Path, tools: Path, role: str, name: str, options: str, expected: str
) -> None:
    tool(tools, name, options)
    with running(role, tools, tmp_path):
        eventually(lambda: (tmp_path / f"{role}.jsonl").exists())
        assert lines(tmp_path, role) == [], "it waits"
        (tmp_path / "new").write_text("--topic t --rate 5\n")
        (tmp_path / "new").rename(tmp_path / f"go-{role}")
        eventually(lambda: len(lines(tmp_path, role)) == 1)
        eventually((tmp_path / "arguments").exists)
        assert (tmp_path / "arguments").read_text().strip() == f"--topic t --rate 5 {expected}"
        os.kill(int((tmp_path / f"{role}.pid").read_text()), 15)
        eventually(lambda: len(lines(tmp_path, role)) == 3)
    assert lines(tmp_path, role) == ['{"name": "told"}', '{"name": "shutdown_complete"}', '{"name": "ended"}']


def test_an_image_without_the_tool_says_so(tmp_path: Path, tools: Path) -> None:
    with running("producer", tools, tmp_path):
        eventually(lambda: "no kafka-verifiable-producer" in _log(tmp_path))


def _log(folder: Path) -> str:
    file = folder / "producer.log"
    return file.read_text() if file.exists() else ""
