"""The project's runtime options, and the Python that they choose."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

KNOWN: Final = ("toolchain", "virtualenv", "typechecker")


class OptionsError(Exception):
    """A runtime option that cannot be used; the text is for the user."""


@dataclass(frozen=True)
class Options:
    """What `runtime: options:` of a Pulumi.yaml or PulumiPolicy.yaml says."""

    root: Path
    virtualenv: str = ""

    @classmethod
    def of(cls, root: str, options: Mapping[str, Any], *, needs_virtualenv: bool = False) -> Self:
        """Read the options of the project in the folder `root`; raises OptionsError.

        `needs_virtualenv`: use `venv` where none is named, as plugins do.
        """
        for name in KNOWN:
            if not isinstance(options.get(name, ""), str):
                raise OptionsError(f"the runtime option {name} must be a string, not {options[name]!r}")
        toolchain = options.get("toolchain", "pip")
        if toolchain != "pip":
            raise OptionsError(
                f"the runtime option toolchain is {toolchain!r}; this stand-in for the Python language "
                "host knows pip only: set `toolchain: pip` and `virtualenv:`, or install the official language host"
            )
        if options.get("typechecker"):
            raise OptionsError(
                f"the runtime option typechecker ({options['typechecker']}) needs the official language "
                "host; take it out and run the type checker by hand"
            )
        default = "venv" if needs_virtualenv else ""
        return cls(Path(root), options.get("virtualenv") or default)

    @property
    def folder(self) -> Path | None:
        """The virtual environment's folder, None where the ambient Python is to be used."""
        return self.root / self.virtualenv if self.virtualenv else None

    @property
    def python(self) -> str:
        """The Python to run, without asking whether it is there; raises OptionsError if none is on PATH."""
        if self.folder:
            return str(self.folder / "bin" / "python")
        return ambient_python()

    def missing(self) -> str:
        """Return the sentence for a virtual environment that is not there, empty when it is."""
        if not self.folder or (self.folder / "bin" / "python").is_file():
            return ""
        what = "is not a virtual environment" if self.folder.exists() else "does not exist"
        python = self.folder / "bin" / "python"
        return (
            f"the runtime option virtualenv is {self.virtualenv!r}, but {self.folder} {what}; make it with: "
            f"python3 -m venv {self.folder} && {python} -m pip install -r requirements.txt"
        )

    def environment(self) -> dict[str, str]:
        """Return this process's environment with the virtual environment activated."""
        variables = dict(os.environ)
        if self.folder:
            variables["VIRTUAL_ENV"] = str(self.folder)
            variables["PATH"] = os.pathsep.join([str(self.folder / "bin"), variables.get("PATH", "")])
            variables.pop("PYTHONHOME", None)
        return variables


def ambient_python() -> str:
    """Return the Python outside of any project: `PULUMI_PYTHON_CMD`, else python3; raises OptionsError."""
    wanted = os.environ.get("PULUMI_PYTHON_CMD")
    for name in [wanted] if wanted else ["python3", "python"]:
        if found := shutil.which(name):
            return found
    raise OptionsError(f"no {wanted or 'python3'} on PATH: install Python, or set PULUMI_PYTHON_CMD")
