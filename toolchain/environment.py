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
PHRASE = "PULUMI_CONFIG_PASSPHRASE"
PHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"
OURS = "KAFKA_HA_PASSPHRASE_OF"  # the stack whose passphrase `make env` put into the shell
SIM_PHRASE = "sim"  # the simulation holds no secret of anybody


def own_backend(layout: Layout, environ: Mapping[str, str]) -> bool:
    """Whether the state lies in this checkout: no backend is set, or it is ours (from `make env`)."""
    return environ.get(BACKEND) in (None, "", backend(layout))


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
        "PATH": os.pathsep.join([str(layout.bin), _path_without(layout.bin, environ)]),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
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


def _path_without(folder: Path, environ: Mapping[str, str]) -> str:
    return os.pathsep.join(entry for entry in environ.get("PATH", "").split(os.pathsep) if entry != str(folder))
