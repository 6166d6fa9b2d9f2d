"""The environment in which Pulumi runs for a stack. Light to import."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from toolchain import chosen, pins
from toolchain.layout import Layout

BACKEND = "PULUMI_BACKEND_URL"
HOME = "PULUMI_HOME"
PHRASE = "PULUMI_CONFIG_PASSPHRASE"
PHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"
OURS = "KAFKA_HA_PASSPHRASE_OF"  # the stack whose passphrase `make env` put into the shell
SIM_PHRASE = "sim"  # the simulation holds no secret of anybody


def own_backend(layout: Layout, environ: Mapping[str, str]) -> bool:
    """Whether the state lies in this checkout: no backend is set, or it is ours (from `make env`)."""
    return environ.get(BACKEND) in (None, "", backend(layout))


def own_home(layout: Layout, environ: Mapping[str, str]) -> bool:
    """Whether Pulumi's home is this checkout's: all its plugins are stand-ins, and the user keeps nothing elsewhere.

    A home of the user's may hold what opens his backend: it stays, and the stand-ins go to PATH, of which Pulumi warns.
    """
    cached = [plugin for plugin in pins.load().plugins.values() if not plugin.bundled]
    free = environ.get(HOME) in (None, "", str(layout.own_home)) and own_backend(layout, environ)
    return free and len(_launchers(layout)) == len(cached)


def outdated(layout: Layout, environ: Mapping[str, str]) -> bool:
    """Whether `environ` is from a `make env` that found other plugins."""
    entries = environ.get("PATH", "").split(os.pathsep)
    ours = environ.get(HOME) == str(layout.own_home)
    return str(layout.bin) in entries and own_home(layout, environ) != ours


def backend(layout: Layout) -> str:
    """The URL of this checkout's own state."""
    return f"file://{layout.state}"


def passphrase_file(layout: Layout, stack: str) -> Path:
    """Where the generated passphrase of a stack lies."""
    return layout.state / f"{stack}.passphrase"


def own_passphrase(layout: Layout, stack: str, environ: Mapping[str, str]) -> bool:
    """Whether the toolchain gives the stack its passphrase: the user set none and keeps no state elsewhere."""
    if OURS not in environ and (PHRASE in environ or PHRASE_FILE in environ):
        return False
    return stack == "sim" or own_backend(layout, environ)


def variables(layout: Layout, stack: str, environ: Mapping[str, str]) -> dict[str, str | None]:
    """What to set for `stack` (None: to unset); makes the state folder and a passphrase where they are needed."""
    found: dict[str, str | None] = {
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    folders = [layout.bin]
    if own_home(layout, environ):
        found[HOME] = str(layout.own_home)
    else:
        folders += _launchers(layout)
        if environ.get(HOME) == str(layout.own_home):
            found[HOME] = None
    found["PATH"] = os.pathsep.join([*dict.fromkeys(map(str, folders)), _path_without(layout.tools, environ)])
    if own_backend(layout, environ):
        layout.state.mkdir(parents=True, exist_ok=True)
        found[BACKEND] = backend(layout)
    if own_passphrase(layout, stack, environ):
        found |= _passphrase(layout, stack)
    elif OURS in environ:
        found |= {PHRASE: None, PHRASE_FILE: None, OURS: None}
    if chosen.read(layout).standins(pins.load()):
        found["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"  # else Pulumi tries to download for a while
    return found


def applied(changes: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with the changes made."""
    merged = {**environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def shell(changes: Mapping[str, str | None], environ: Mapping[str, str]) -> str:
    """The changes as lines for a POSIX shell."""
    lines = [
        f"export {name}={shlex.quote(value)}" if value is not None else f"unset {name}"
        for name, value in changes.items()
        if value is not None or name in environ
    ]
    return "\n".join(lines)


def _passphrase(layout: Layout, stack: str) -> dict[str, str | None]:
    if stack == "sim":
        return {PHRASE: SIM_PHRASE, PHRASE_FILE: None, OURS: stack}
    file = passphrase_file(layout, stack)
    if not file.exists():
        layout.state.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(secrets.token_urlsafe(32) + "\n", encoding="utf-8")
        try:
            os.link(partial, file)  # fails where another run was first: then its passphrase holds
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return {PHRASE: None, PHRASE_FILE: str(file), OURS: stack}


def _launchers(layout: Layout) -> list[Path]:
    """The folders of the stand-ins that don't lie beside Pulumi's command."""
    record = chosen.read(layout)
    standins = [plugin for plugin in record.standins(pins.load()) if not plugin.bundled]
    return [Path(record.entries[plugin.program].path).parent for plugin in standins]


def _path_without(folder: Path, environ: Mapping[str, str]) -> str:
    entries = environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if not Path(entry).is_relative_to(folder))
