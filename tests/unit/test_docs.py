"""What the documentation points to is there: files, headings, commands, settings; and its snippets can be used."""

import ast
import importlib.util
import json
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import kafka_ha
from components.kinds import KINDS
from components.refusal import UnsafeSettings
from components.settings import PROJECT, read_settings
from components.settings_model import SettingsModel
from drills.__main__ import app
from drills.catalog import CATALOG
from policies.check import main
from policies.configuration import of_file
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
def test_lists_tables_and_blocks_stand_apart(page: Path) -> None:
    """The site takes them for text where no blank line is above; GitHub does not mind."""
    within, above = False, ""
    for line in page.read_text().splitlines():
        fence = line.lstrip().startswith("```")
        starts = fence or re.match(r"- |\d+\. |\|", line)
        goes_on = re.match(r"- |\d+\. |\||  |#", above) and not fence
        assert within or not starts or not above.strip() or goes_on, line
        within ^= fence
        above = "```" if fence else line


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


@NAMED
def test_each_setting_of_a_command_is_there(page: Path) -> None:
    """For one kind of cluster at least; whether its value is safe is another matter."""
    for key, inner, value in re.findall(rf"--path '?{PROJECT}:(\w+)\.([\w.\[\]]+)'? (\S+)", page.read_text()):
        given: object = yaml.safe_load(value)
        for part in reversed(re.findall(r"\w+", inner)):
            given = [given] if part == "0" else {part: given}
        assert isinstance(given, dict)
        assert any(_known({"cluster": {"kind": kind}, "kafka": {}}, key, given) for kind in KINDS), inner


def _known(settings: dict[str, dict[str, object]], key: str, given: dict[str, object]) -> bool:
    settings[key] = {**settings[key], **given}
    try:
        read_settings(settings)
    except UnsafeSettings as refused:
        return "unknown key" not in str(refused)
    return True


@NAMED
def test_each_script_can_be_read(page: Path) -> None:
    for text in blocks(page, "sh"):
        said = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False).stderr
        assert said == "", text
    for text in blocks(page, "python"):
        ast.parse(textwrap.dedent(text))


@NAMED
def test_each_drill_and_subcommand_is_there(page: Path) -> None:
    text = page.read_text()
    for name in re.findall(r"DRILL=([a-z-]+)", text):
        assert name == "all" or name in CATALOG, name
    known = {
        "drills": {one.name or one.callback.__name__ for one in app.registered_commands if one.callback},
        "policies": {"check", "export"},
    }
    for module, command in re.findall(r"python3? -m (drills|policies) ([a-z]+)", text):
        assert command in known[module], command


@NAMED
def test_each_configuration_of_the_policies_is_allowed(page: Path) -> None:
    for text in blocks(page, "json"):
        of_file(json.loads(text))


def test_what_the_rules_say_of_a_plain_manifest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "guides" / "from-yaml.md").read_text()
    ((command, shown),) = re.findall(r"\$ \S+python -m policies (.*)\n((?:.+\n)+)```", page)
    main(command.split())
    said = [line for line in capsys.readouterr().out.splitlines() if re.match("mandatory|advisory|[0-9]", line)]
    assert len(said) == len(shown.splitlines())
    for given, line in zip(said, shown.splitlines(), strict=True):
        assert all(part.strip() in given for part in line.split("…")), line


def test_all_that_is_offered_to_programs_is_on_the_page_of_the_api() -> None:
    """The settings have a page of their own."""
    shown = re.findall(r"^::: .*\.(\w+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    for name in kafka_ha.__all__:
        offered = getattr(kafka_ha, name)
        assert name in shown or (isinstance(offered, type) and issubclass(offered, SettingsModel)), name


def test_there_are_examples_and_they_are_found() -> None:
    found = [text for page in PAGES for text in blocks(page, "yaml") if f"{PROJECT}:" in text]
    assert len(found) > 1
    assert anchors(ROOT / "docs" / "kafka.md") >= {"a-pod", "decided"}
