"""The settings as a page: `python -m components.reference` writes docs/settings.md from the models, and a test holds it
current.
"""

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from components.kafka_settings import KafkaSettings, TopicSettings
from components.kinds import KINDS
from components.settings import PROJECT, DrillsSettings
from components.settings_model import SettingsModel
from components.user_settings import UserSettings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
_HEAD = f"""\
# Settings

<!-- Written by `python -m components.reference` from the models themselves; change those, not this page. -->

What can stand in `Pulumi.STACK.yaml`, below `config`. A stack needs `{PROJECT}:cluster` alone; all else has a default
that is safe. A wrong setting is refused before anything is made, with its path, and all of them at once. What the
rules refuse: [policies.md](policies.md).
"""
_PARTS: tuple[tuple[str, str, type[SettingsModel]], ...] = (
    ("kafka", "The Kafka cluster.", KafkaSettings),
    ("topics", "A list; of each:", TopicSettings),
    ("users", "A list, for a Kafka with `security` ([security.md](security.md)); of each:", UserSettings),
    ("drills", "What failure drills may do ([drills.md](drills.md)).", DrillsSettings),
)
_WORDS = {"str": "text", "int": "number", "bool": "true or false", "QuantityValue": "quantity, as `1Gi` or `500m`"}
_WORDS |= {"DurationValue": "duration, as `30s` or `5m`"}


def page() -> str:
    """The whole page."""
    return "\n".join((_HEAD, *_clusters(), *(line for part in _PARTS for line in _part(*part))))


def _clusters() -> Iterator[str]:
    yield f"## {PROJECT}:cluster\n"
    kinds = ", ".join(f"`{kind}`" for kind in KINDS)
    yield f"The Kubernetes cluster. Its `kind` is one of {kinds}, and decides what else can"
    yield "be set; what each makes: [environments.md](environments.md).\n"
    for name, kind in KINDS.items():
        yield f"### kind: {name}\n"
        yield from _table(kind.settings, without=("kind",))


def _part(name: str, said: str, model: type[SettingsModel]) -> Iterator[str]:
    yield f"## {PROJECT}:{name}\n"
    yield f"{said}\n"
    yield from _table(model)


def _table(model: type[SettingsModel], prefix: str = "", without: tuple[str, ...] = ()) -> Iterator[str]:
    """Its settings; those of models within it below, by their whole names."""
    if not prefix:
        yield "| setting | what | default | meaning |\n|---|---|---|---|"
    for name, field in model.model_fields.items():
        if name in without:
            continue
        key = f"{prefix}{field.alias}"
        inner = model_in(field.annotation)
        cells = (f"`{key}`", _type(field), _default(field), meaning(model, name))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        if inner:
            yield from _table(inner, f"{key}{'[].' if _is_list(field.annotation) else '.'}")
    if not prefix:
        yield ""


def model_in(annotation: Any) -> type[SettingsModel] | None:
    """The model that a setting's type holds."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation if issubclass(annotation, SettingsModel) else None
    return next((found for one in get_args(annotation) if (found := model_in(one))), None)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(_is_list(one) for one in get_args(annotation))


def _type(field: FieldInfo) -> str:
    bounds = (("≥", _limit(field, "ge")), ("≤", _limit(field, "le")))
    limits = [f"{sign} {value}" for sign, value in bounds if value is not None]
    return ", ".join((_said(field.annotation), *limits))


def _limit(field: FieldInfo, name: str) -> object:
    return next((value for one in field.metadata if (value := getattr(one, name, None)) is not None), None)


def _said(annotation: Any) -> str:
    origin, parts = get_origin(annotation), [one for one in get_args(annotation) if one is not NoneType]
    if origin is Annotated:
        return _said(parts[0])
    if origin is Literal:
        return " or ".join(f"`{str(one).lower() if isinstance(one, bool) else one}`" for one in parts)
    if origin in (Union, UnionType):
        return " or ".join(_said(one) for one in parts)
    if origin is tuple:
        return f"list of {_said(parts[0])}" if not model_in(annotation) else "list"
    if origin is dict:
        return "table of texts"
    if model_in(annotation):
        return "table"
    name: str = annotation.__name__
    return _WORDS.get(name, name)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default_factory_takes_validated_data:
        return "follows"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, SettingsModel):
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`" if value else ""
    if isinstance(value, dict):
        return ", ".join(f"`{key}: {one}`" for key, one in value.items())
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else ""


def meaning(model: type, name: str) -> str:
    """The docstring below a field, in its class or else in one that it comes from."""
    owners = (owner for owner in model.__mro__ if name in vars(owner).get("__annotations__", {}))
    said = (_docstrings(inspect.getmodule(owner), owner.__name__).get(name) for owner in owners)
    return re.sub(r"\s+", " ", next(filter(None, said), "")).strip()


@cache
def _docstrings(module: ModuleType | None, owner: str) -> dict[str, str]:
    assert module
    tree = ast.parse(textwrap.dedent(inspect.getsource(module)))
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner]
    found: dict[str, str] = {}
    for field, after in itertools.pairwise(body):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                found[name] = said
    return found


if __name__ == "__main__":
    PAGE.write_text(page())
