"""The commands that run `components.scripts`, wherever the program stands."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def script(name: str, action: str) -> str:
    """The command line: any Python will do."""
    return f"python3 -m components.scripts.{name} {action}"


def found() -> dict[str, str]:
    """What has a command find the scripts: nothing in this project's own folder, where commands run, else where the
    package is installed.
    """
    return {} if (Path.cwd() / "components" / "scripts").exists() else {"PYTHONPATH": str(_ROOT)}
