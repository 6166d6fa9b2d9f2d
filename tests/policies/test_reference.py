"""The page of the rules is what the rules say."""

import json
import re

import yaml

from policies.configuration import parse
from policies.pack import NAME, VERSION
from policies.reference import PAGE, page
from tests.stack import ROOT


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m policies.reference"


def test_the_pack_is_the_one_of_its_project_file() -> None:
    project = yaml.safe_load((ROOT / "policies/PulumiPolicy.yaml").read_text())
    assert (project["name"], project["version"]) == (NAME, VERSION)


def test_the_configuration_of_the_page_holds() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", page(), re.DOTALL)
    assert parse(json.loads(example)["kafka"]).production
