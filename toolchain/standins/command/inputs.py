"""The inputs of a local command: which there are, of which type, and what to run from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from toolchain.standins.properties import Secret, Unknown, without_secrets

LOGGING: Final = ("stdout", "stderr", "stdoutAndStderr", "none")
DEFAULT_INTERPRETER: Final = ("/bin/sh", "-c")

# Engine-made properties that are no inputs of a command.
_INTERNAL_PREFIX: Final = "__"


@dataclass(frozen=True)
class Failure:
    """What is wrong with one input."""

    property: str
    reason: str


def _bare(value: Any) -> Any:
    return _bare(value.value) if isinstance(value, Secret) else value


def _text(path: str, value: Any) -> list[Failure]:
    value = _bare(value)
    if isinstance(value, str | Unknown):
        return []
    return [Failure(path, f"{path} must be a string, not a {_kind(value)}")]


def _flag(path: str, value: Any) -> list[Failure]:
    value = _bare(value)
    if isinstance(value, bool | Unknown):
        return []
    return [Failure(path, f"{path} must be true or false, not a {_kind(value)}")]


def _texts(path: str, value: Any) -> list[Failure]:
    value = _bare(value)
    if isinstance(value, Unknown):
        return []
    if not isinstance(value, list):
        return [Failure(path, f"{path} must be a list of strings, not a {_kind(value)}")]
    return [failure for i, item in enumerate(value) for failure in _text(f"{path}[{i}]", item)]


def _text_map(path: str, value: Any) -> list[Failure]:
    value = _bare(value)
    if isinstance(value, Unknown):
        return []
    if not isinstance(value, Mapping):
        return [Failure(path, f"{path} must be a map of strings, not a {_kind(value)}")]
    return [failure for key, item in value.items() for failure in _text(f"{path}.{key}", item)]


def _logging(path: str, value: Any) -> list[Failure]:
    value = _bare(value)
    if isinstance(value, Unknown) or value in LOGGING:
        return []
    return [Failure(path, f"{path} is {value!r}; it must be one of {', '.join(LOGGING)}")]


def _list(path: str, value: Any) -> list[Failure]:
    value = _bare(value)
    if isinstance(value, list | Unknown):
        return []
    return [Failure(path, f"{path} must be a list, not a {_kind(value)}")]


def _kind(value: Any) -> str:
    names = {
        type(None): "null",
        str: "string",
        bool: "boolean",
        int: "number",
        float: "number",
        list: "list",
        dict: "map",
    }
    return names.get(type(value), type(value).__name__)


Check = Callable[[str, Any], list[Failure]]

BASE: Final[Mapping[str, Check]] = {
    "stdin": _text,
    "logging": _logging,
    "interpreter": _texts,
    "dir": _text,
    "environment": _text_map,
    "assetPaths": _texts,
    "archivePaths": _texts,
    "addPreviousOutputInEnv": _flag,
}
RESOURCE: Final[Mapping[str, Check]] = {
    **BASE,
    "triggers": _list,
    "create": _text,
    "update": _text,
    "delete": _text,
}
INVOKE: Final[Mapping[str, Check]] = {**BASE, "command": _text}


def known_inputs(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs without what the engine adds and without what is null."""
    return {
        key: value
        for key, value in values.items()
        if key != "version" and not key.startswith(_INTERNAL_PREFIX) and _bare(value) is not None
    }


def check(values: Mapping[str, Any], allowed: Mapping[str, Check]) -> list[Failure]:
    """Return what is wrong with the inputs: unknown names and wrong types; secrets' values are not shown."""
    failures: list[Failure] = []
    for name, value in values.items():
        if name in allowed:
            failures += allowed[name](name, value)
        else:
            failures.append(Failure(name, f"{name} is no input of a command; there are {', '.join(allowed)}"))
    return failures


@dataclass(frozen=True)
class Execution:
    """One command to run: what, with what, where."""

    command: str
    interpreter: tuple[str, ...] = DEFAULT_INTERPRETER
    directory: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    logging: str = "stdoutAndStderr"
    asset_paths: tuple[str, ...] | None = None
    archive_paths: tuple[str, ...] | None = None
    # Strings that are secret among the inputs: never to be shown.
    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, command: Any, inputs: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> Self:
        """Build it from a resource's inputs; `previous` are the outputs of the run before, if any."""
        plain = without_secrets(dict(inputs))
        environment = dict(plain.get("environment") or {})
        if plain.get("addPreviousOutputInEnv", True):
            before = without_secrets(dict(previous or {}))
            for name, key in (("PULUMI_COMMAND_STDOUT", "stdout"), ("PULUMI_COMMAND_STDERR", "stderr")):
                if isinstance(before.get(key), str) and before[key]:
                    environment[name] = before[key]
        assets, archive = plain.get("assetPaths"), plain.get("archivePaths")
        return cls(
            command=_bare(command),
            interpreter=tuple(plain.get("interpreter") or DEFAULT_INTERPRETER),
            directory=plain.get("dir"),
            environment=environment,
            stdin=plain.get("stdin") or "",
            logging=plain.get("logging") or "stdoutAndStderr",
            asset_paths=None if assets is None else tuple(assets),
            archive_paths=None if archive is None else tuple(archive),
            secrets=tuple(sorted(_secret_texts([command, inputs, previous]), key=len, reverse=True)),
        )

    @property
    def logs_stdout(self) -> bool:
        """Whether standard output goes to the engine's log."""
        return self.logging in ("stdout", "stdoutAndStderr")

    @property
    def logs_stderr(self) -> bool:
        """Whether standard error goes to the engine's log."""
        return self.logging in ("stderr", "stdoutAndStderr")

    def masked(self, text: str) -> str:
        """Return the text with secret inputs replaced by `[secret]`."""
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        return text


# A shorter secret ("1", "yes") would tear holes into every line, and is none worth the name.
_SHORTEST_SECRET: Final = 4


def _secret_texts(value: Any, secret: bool = False) -> set[str]:
    match value:
        case Secret():
            return _secret_texts(value.value, secret=True)
        case str():
            # A secret of several lines, a kubeconfig say, is logged line by line.
            parts = [value, *value.splitlines()] if secret else []
            return {part.strip() for part in parts if len(part.strip()) >= _SHORTEST_SECRET}
        case Mapping():
            return set().union(*(_secret_texts(item, secret) for item in value.values()))
        case list():
            return set().union(*(_secret_texts(item, secret) for item in value))
        case _:
            return set()
