"""What the documentation points to is there: files, headings, commands, settings."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.settings import PROJECT, read_settings
from tests.stack import ROOT

_LEFT_OUT = {".venv", ".tools", ".git", ".site", "node_modules"}
PAGES = sorted(path for path in ROOT.rglob("*.md") if not _LEFT_OUT & set(path.relative_to(ROOT).parts[:-1]))
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
NAMED = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, *languages: str) -> Iterator[str]:
    return (text for language, text in BLOCK.findall(page.read_text()) if language in languages)


def anchors(page: Path) -> set[str]:
    """The headings as GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", title).lower() for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in plain}


@NAMED
def test_each_link_has_its_file_and_heading(page: Path) -> None:
    for file, heading in LINK.findall(BLOCK.sub("", page.read_text())):
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{file} is not there"
        if heading and target.suffix == ".md":
            assert heading in anchors(target), f"{file}#{heading} is not there"


@NAMED
def test_each_command_is_one_that_there_is(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    for command in re.findall(
        r"(?:^|`|\()make (?:-s )?((?:[a-z-]+ ?)+)", "\n".join([text, *blocks(page, "sh")]), re.MULTILINE
    ):
        assert command.split()[0] in targets, f"make {command} is not there"
    for module in re.findall(r"python3? -m ([a-z_.]+[a-z_])", text):
        assert module in ("pulumi", "checker", "checker.live") or importlib.util.find_spec(module), module


@NAMED
def test_each_example_of_settings_is_allowed(page: Path) -> None:
    for text in blocks(page, "yaml"):
        given = yaml.safe_load(text)
        if not isinstance(given, dict):
            continue
        given = given.get("config", given)
        own = {key.removeprefix(f"{PROJECT}:"): value for key, value in given.items() if key.startswith(f"{PROJECT}:")}
        if own:
            read_settings({"cluster": {"kind": "existing"}} | own)


def test_there_are_examples_and_they_are_found() -> None:
    found = [text for page in PAGES for text in blocks(page, "yaml") if f"{PROJECT}:" in text]
    assert len(found) > 1
    assert anchors(ROOT / "docs" / "kafka.md") >= {"a-pod", "decided"}
