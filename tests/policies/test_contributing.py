"""The walk-through of CONTRIBUTING.md, followed: its rule finds what its cases say."""

import re
import textwrap
from pathlib import Path
from typing import Any

from policies.rules import Limits, Rule, start
from tests.policies.manifests import clusters, load
from tests.stack import ROOT

_CASE = re.compile(r"`tests/policies/cases/([\w-]+)/([\w-]+\.yaml)`:\n\n *```yaml\n(.*?) *```", re.DOTALL)


def test_a_rule_is_added(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    function, entry = (textwrap.dedent(block) for block in re.findall(r"```python\n(.*?) *```", text, re.DOTALL))
    module: dict[str, Any] = dict(vars(start))
    exec(function, module)
    (rule,) = eval(f"({entry.strip()},)", module)
    assert isinstance(rule, Rule)
    outcomes = {}
    for folder, name, content in _CASE.findall(text):
        assert folder == rule.id
        (tmp_path / name).write_text(textwrap.dedent(content))
        (facts,) = clusters(load(tmp_path / name).documents)
        outcomes[name.partition("-")[0]] = bool(list(rule.check(facts, Limits())))
    assert outcomes == {"pass": False, "fail": True}
