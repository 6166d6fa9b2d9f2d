"""The stack's configuration, read and judged as a whole: every error is told at once."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args

import pulumi
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from components.kafka_plan import kafka_facts
from components.kafka_settings import KafkaSettings, TopicSettings
from components.kinds import KINDS, ClusterSettings
from components.refusal import UnsafeSettings, violations
from components.settings_model import SettingsModel, mistakes
from components.user_settings import UserSettings

PROJECT = "kafka-ha"
"""Namespace of the configuration's keys."""

_KEYS = ("cluster", "kafka", "topics", "users", "drills")
_LONGEST_VALUE = 60  # characters of a wrong value that are shown

M = TypeVar("M", bound=BaseModel)
N = TypeVar("N", TopicSettings, UserSettings)


class DrillsSettings(SettingsModel):
    """What failure drills may do; `python -m drills` reads it, the program only checks it."""

    contexts: tuple[str, ...] = ()
    """Contexts of the kubeconfig whose cluster may be drilled: nodes and brokers are stopped there."""


@dataclass(frozen=True)
class Settings:
    """One stack."""

    cluster: ClusterSettings
    kafka: KafkaSettings
    topics: tuple[TopicSettings, ...]
    users: tuple[UserSettings, ...] = ()
    drills: DrillsSettings = field(default_factory=DrillsSettings)


def load_settings() -> Settings:
    """The settings of the stack that is being deployed. Raises UnsafeSettings."""
    config = pulumi.Config(PROJECT)
    given = {key.partition(":")[2]: None for key in pulumi.runtime.config.CONFIG.get() if key.startswith(f"{PROJECT}:")}
    return read_settings(given | {key: config.get_object(key) for key in _KEYS if key in given})


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Settings from plain data. Pure. Raises UnsafeSettings with every error in it."""
    errors = [_unknown_key(PROJECT, key, _KEYS, sep=":") for key in config if key not in _KEYS]
    cluster = _read_cluster(config.get("cluster"), errors)
    kafka = _read(KafkaSettings, f"{PROJECT}:kafka", config.get("kafka", {}), errors)
    topics = _read_named(TopicSettings, "topics", config.get("topics", []), errors)
    users = _read_named(UserSettings, "users", config.get("users", []), errors)
    drills = _read(DrillsSettings, f"{PROJECT}:drills", config.get("drills", {}), errors)
    # Rules judge what could be read, so that a wrong topic does not hide an unsafe cluster.
    if kafka:
        errors += violations(kafka_facts(kafka, cluster.zones if cluster else None, topics, PROJECT))
        if users and kafka.security is None:
            errors.append(
                f"{PROJECT}:users: got {_shown([user.name for user in users.values()])}, but without security nobody "
                f"logs in. Set it: pulumi config set --path '{PROJECT}:kafka.security' '{{}}' --json, or remove users."
            )
    if errors or cluster is None or kafka is None or drills is None:
        raise UnsafeSettings(errors)
    return Settings(cluster, kafka, tuple(topics.values()), tuple(users.values()), drills)


def _read_cluster(value: Any, errors: list[str]) -> ClusterSettings | None:
    path = f"{PROJECT}:cluster"
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or kind not in KINDS:
        given = repr(kind) if kind else "nothing"
        errors.append(f"{path}.kind: got {given}, but allowed are {', '.join(KINDS)}. {_way_out(f'{path}.kind')}")
        return None
    return _read(KINDS[kind].settings, path, value, errors)


def _read_named(model: type[N], key: str, value: Any, errors: list[str]) -> dict[str, N]:
    """A list of what has names, by the path of each."""
    whole = f"{PROJECT}:{key}"
    if not isinstance(value, Sequence) or isinstance(value, str):
        errors.append(f"{whole}: got {_shown(value)}, but a list of {key} is needed. {_way_out(f'{whole}[0].name')}")
        return {}
    paths = ((f"{whole}[{index}]", item) for index, item in enumerate(value))
    read = {path: _read(model, path, item, errors) for path, item in paths}
    found = {path: item for path, item in read.items() if item}
    seen: dict[str, str] = {}
    for path, item in found.items():
        if first := seen.get(item.name):
            errors.append(f"{path}.name: got {item.name!r}, but {first} has that name. Remove one of them.")
        seen.setdefault(item.name, path)
    return found


def _read(model: type[M], path: str, value: Any, errors: list[str]) -> M | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors += (_sentence(model, path, item) for item in mistakes(error))
        return None


def _sentence(model: type[BaseModel], root: str, error: dict[str, Any]) -> str:
    """One of pydantic's errors, as a sentence with the configuration's path, the value, what is allowed and
    the way out.
    """
    location = _as_written(model, error["loc"])
    path = root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    if error["type"] == "extra_forbidden":
        parent = path.rpartition(".")[0]
        return _unknown_key(parent, str(location[-1]), _keys_at(model, location[:-1]))
    if error["type"] == "missing":
        return f"{path}: got nothing, but it is needed. {_way_out(path)}"
    allowed = error["msg"].removeprefix("Value error, ")
    allowed = allowed[:1].lower() + allowed[1:]
    return f"{path}: got {_shown(error['input'])}, but {allowed}. {_way_out(path)}"


def _as_written(model: type[BaseModel], location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Pydantic names a default that is wrong by its field instead of its key."""
    *parents, last = location or ("",)
    key = to_camel(last) if isinstance(last, str) else last
    return (*parents, key) if key in _keys_at(model, tuple(parents)) else location


def _unknown_key(parent: str, key: str, allowed: Iterable[str], sep: str = ".") -> str:
    allowed = sorted(allowed)
    close = difflib.get_close_matches(key, allowed, n=1)
    meant = f" Did you mean {close[0]}?" if close else ""
    path = f"{parent}{sep}{key}"
    return f"{path}: unknown key; allowed are {', '.join(allowed)}.{meant} Remove it: pulumi config rm --path '{path}'"


def _keys_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys that are allowed at a place in the model."""
    for part in location:
        if isinstance(part, int):  # the model of a list's entries is the one of its setting
            continue
        field = next((field for name, field in model.model_fields.items() if part in (name, field.alias)), None)
        if field is None:
            return []
        # The setting's type may be a model, `Model | None` or `tuple[Model, ...]`.
        held = (field.annotation, *get_args(field.annotation))
        inner = next((one for one in held if isinstance(one, type) and issubclass(one, BaseModel)), None)
        if inner is None:  # what the keys of a table are is not ours to say
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _shown(value: Any) -> str:
    text = "nothing" if value == () else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _way_out(path: str) -> str:
    return f"Set it: pulumi config set --path '{path}' VALUE"
