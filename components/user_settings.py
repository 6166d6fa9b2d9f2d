"""What can be set of the users of a secured Kafka, and the rights that follow. Pure."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from components.checker.operations import Operation
from components.settings_model import DnsLabel, SettingsModel

_LONGEST_NAME = 32

Name = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9._-]{1,249}\*?|\*)$")]
"""A name, the beginning of names with a `*` after it, or `*` for all."""


class Allowance(SettingsModel):
    """Operations as Kafka names them (Kafka documentation, "Authorization and ACLs")."""

    resource: Literal["topic", "group", "transactional-id", "cluster"]
    """Kind of what they are done to."""
    name: Name = "*"
    """Its name; nothing for the cluster, of which there is one."""
    operations: Annotated[tuple[Operation, ...], Field(min_length=1)]
    """What may be done."""


class UserSettings(SettingsModel):
    """One of `users`: a client that logs in by SCRAM, and may do what is said here and nothing else."""

    name: Annotated[DnsLabel, StringConstraints(max_length=_LONGEST_NAME)]
    """Its name, of Kafka's user and in that of the Secret."""
    writes: tuple[Name, ...] = ()
    """Topics that it may write to, also in transactions whose id begins with its name."""
    reads: tuple[Name, ...] = ()
    """Topics that it may read, in groups that are called as it, or begin with its name and a hyphen."""
    groups: tuple[Name, ...] | None = None
    """Other groups to read in."""
    allow: tuple[Allowance, ...] = ()
    """What it may do beside that."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """With another one it gets a new password: clients must be given it at once (docs/security.md)."""


def rights(user: UserSettings) -> list[str]:
    """Each right as `OPERATION RESOURCE NAME`, sorted."""
    return sorted({f"{operation} {resource} {name}" for operation, resource, name in _rights(user)})


def _rights(user: UserSettings) -> Iterator[tuple[str, str, str]]:
    own = (user.name, f"{user.name}-*")
    for topic in user.writes:
        yield "write", "topic", topic
        yield "describe", "topic", topic
    if user.writes:
        for name in own:
            yield "write", "transactional-id", name
            yield "describe", "transactional-id", name
    for topic in user.reads:
        yield "read", "topic", topic
        yield "describe", "topic", topic
    if user.reads or user.groups:
        for name in user.groups or own:
            yield "read", "group", name
    for one in user.allow:
        for operation in one.operations:
            yield operation, one.resource, "kafka-cluster" if one.resource == "cluster" else one.name
