"""The page of the rules is what the rules say."""

import json
import re

from policies.configuration import parse
from policies.reference import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m policies.reference"


def test_the_configuration_of_the_page_holds() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", page(), re.DOTALL)
    assert parse(json.loads(example)["kafka"]).production
