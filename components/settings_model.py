"""The base of all settings: camelCase in the stack's configuration, frozen, unknown keys refused."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A name that Kubernetes takes for objects and label values: RFC 1035 label."""


class SettingsModel(BaseModel):
    """One object of the stack's configuration."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        defer_build=True,  # a stack uses one kind of cluster: the others' validators are never built
    )

    def as_inputs(self) -> dict[str, Any]:
        """The settings as a component's inputs, so that the engine and policies see them as they are written."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def mistakes(error: ValidationError) -> list[dict[str, Any]]:
    """Pydantic's errors that a user is told of; a default that follows from a wrong setting is told with that one."""
    return [dict(one) for one in error.errors() if one["type"] != "default_factory_not_called"]
