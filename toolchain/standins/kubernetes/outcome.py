"""What an operation on a resource gives, whole or half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolchain.standins.kubernetes.errors import ApiError, NotReady, PluginError
from toolchain.standins.kubernetes.naming import object_id
from toolchain.standins.kubernetes.objects import name_of, namespace_of


@dataclass(frozen=True)
class Outcome:
    """A resource's id and state after an operation; `inputs` only where reading computed them anew."""

    id: str
    state: dict[str, Any]
    inputs: dict[str, Any] | None = None


class IncompleteError(PluginError):
    """The operation took hold but the object is not ready: `outcome` is to be kept, `reasons` shown."""

    def __init__(self, outcome: Outcome, error: NotReady) -> None:
        super().__init__(str(error))
        self.outcome = outcome
        self.reasons = [str(error), *error.reasons]


def refused(done: str, obj: Mapping[str, Any], error: ApiError) -> PluginError:
    """Return the error for the user of an operation (`created`, …) that the API server refused."""
    what = f"{obj.get('kind')} {object_id(namespace_of(obj), name_of(obj))}"
    return PluginError(f"{what} was not {done}; the API server says: {error.message}")
