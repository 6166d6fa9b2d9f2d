"""The package's schema, from which Pulumi makes the SDKs of other languages. Pure."""

import inspect
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.alias_generators import to_camel

from components.plugin.offered import ANY, OFFERED, PACKAGE, Offered
from components.reference import meaning, model_in
from components.settings_model import SettingsModel

_SCALARS = {bool: "boolean", int: "integer"}  # all else is written as text


def schema(version: str) -> dict[str, Any]:
    """As `pulumi package get-schema` prints it (https://www.pulumi.com/docs/iac/extending-pulumi/schema/)."""
    within = {model.__name__: model for one in OFFERED.values() for top in one.settings for model in _within(top)}
    return {
        "name": PACKAGE,
        "version": version,
        "displayName": PACKAGE,
        "description": "A highly available Kafka on zoned Kubernetes.",
        "license": "Apache-2.0",
        "resources": {_token(name): _resource(one) for name, one in OFFERED.items()},
        "types": {_token(name): _type(model) for name, model in within.items()},
        "language": {name: {"respectSchemaVersion": True} for name in ("nodejs", "python", "csharp", "java", "go")},
    }


def _token(name: str) -> str:
    return f"{PACKAGE}:index:{name}"


def _resource(one: Offered) -> dict[str, Any]:
    inputs, needed = properties_of(one.settings)
    if one.on:
        said = f"The {one.on_type} that it is on."
        inputs[one.on] = {"$ref": f"#/resources/{_token(one.on_type)}", "description": said}
        needed.append(one.on)
    outputs = {
        to_camel(name): {**kind, "description": meaning(one.component, name)} for name, kind in one.outputs.items()
    }
    return {
        "isComponent": True,
        "description": inspect.getdoc(one.component),
        "inputProperties": inputs,
        "requiredInputs": sorted(needed),
        "properties": outputs,
        "required": sorted(name for name in outputs if name not in one.optional),
    }


def _type(model: type[SettingsModel]) -> dict[str, Any]:
    properties, needed = properties_of((model,))
    return {
        "type": "object",
        "description": inspect.getdoc(model),
        "properties": properties,
        "required": sorted(needed),
    }


def properties_of(models: tuple[type[SettingsModel], ...]) -> tuple[dict[str, Any], list[str]]:
    """Those of all the models, in which a name has one type, and the names of those that each of them needs."""
    found: dict[str, Any] = {}
    needed: list[set[str]] = []
    for model in models:
        fields = model.model_fields
        needed.append({field.alias or name for name, field in fields.items() if field.is_required()})
        for name, field in fields.items():
            found.setdefault(field.alias or name, {**_kind(field.annotation), "description": meaning(model, name)})
    return found, list(set.intersection(*needed))


def _kind(annotation: Any) -> dict[str, Any]:
    """A type as schemas write it; plain: settings are decided before anything is made."""
    origin, parts = get_origin(annotation), [one for one in get_args(annotation) if one is not NoneType]
    if origin in (Union, UnionType) and len(parts) > 1:
        return {**ANY, "plain": True}
    if origin in (Annotated, Union, UnionType):
        return _kind(parts[0])
    if origin is tuple:
        items = _kind(parts[0])
        if "$ref" in items:
            del items["plain"]  # a list of plain objects has Pulumi write Go that does not compile
        return {"type": "array", "items": items, "plain": True}
    if origin is dict:
        return {"type": "object", "additionalProperties": _kind(parts[1]), "plain": True}
    if isinstance(annotation, type) and issubclass(annotation, SettingsModel):
        return {"$ref": f"#/types/{_token(annotation.__name__)}", "plain": True}
    scalar = type(parts[0]) if origin is Literal else annotation
    return {"type": _SCALARS.get(scalar, "string"), "plain": True}


def _within(model: type[SettingsModel]) -> Iterator[type[SettingsModel]]:
    for field in model.model_fields.values():
        if inner := model_in(field.annotation):
            yield inner
            yield from _within(inner)
