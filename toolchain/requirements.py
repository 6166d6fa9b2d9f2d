"""Writes requirements.txt, requirements-dev.txt and one for each kind of cloud, such as requirements-eks.txt, from what
`.venv` holds, split along pyproject's groups. Those of a cloud are left as they are where its package is not installed.

`python -m toolchain.requirements` after a change of dependencies; a test compares the files with `.venv`.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from toolchain.layout import ROOT

# Declared by packages for their own building; each Python brings the one that fits it.
BUILDERS = ("pip", "setuptools", "wheel")
HEAD = "# {what}: the whole tree, pinned. Written by `python -m toolchain.requirements`.\n"


def tree(roots: Iterable[str]) -> dict[str, str]:
    """Every distribution that `roots` need, themselves included: canonical name → `Name==version`."""
    found: dict[str, str] = {}
    waiting = [(Requirement(root), "") for root in roots]
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        if name in BUILDERS or (name in found and not wanted.extras):
            continue
        distribution = importlib.metadata.distribution(name)
        found[name] = f"{distribution.metadata['Name']}=={distribution.version}"
        needs = [Requirement(line) for line in distribution.requires or ()]
        waiting += [(need, each) for need in needs for each in ("", *wanted.extras)]
    return found


def texts(root: Path = ROOT) -> dict[str, str]:
    """The contents of the files, by file name."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    program = tree(project["dependencies"])
    found = {"requirements.txt": _text("What the program needs", program)}
    what = {
        "dev": "the toolchain, the stand-ins and the tests need",
        "docs": "the documentation's site needs",
        "audit": "`make audit` needs",
    }
    for group, needs in project["optional-dependencies"].items():
        try:
            everything = tree([*project["dependencies"], *needs])
        except importlib.metadata.PackageNotFoundError:
            if group == "dev":
                raise
            continue
        rest = {name: line for name, line in everything.items() if name not in program}
        said = what.get(group, f"clusters of kind {group} need")
        found[f"requirements-{group}.txt"] = _text(f"What {said} besides", rest)
    return found


def _text(what: str, lines: dict[str, str]) -> str:
    return HEAD.format(what=what) + "".join(f"{lines[name]}\n" for name in sorted(lines))


def main() -> None:
    """Writes the files."""
    for name, text in texts().items():
        (ROOT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
