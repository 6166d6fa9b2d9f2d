"""What can go wrong, by what the caller does next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class PluginError(Exception):
    """An operation failed; the message is one for the user."""


class Unsupported(PluginError):
    """The stand-in lacks what was asked for; the official plugin has it."""

    def __init__(self, what: str, instead: str = "") -> None:
        way_out = instead or "install the official plugin: pulumi plugin install resource kubernetes"
        super().__init__(f"{what} is not supported by the kubernetes stand-in plugin; {way_out}")


class Unreachable(PluginError):
    """The API server did not answer."""


class ApiError(PluginError):
    """The API server refused; `code` is the HTTP status, `reason` the machine-readable word."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})

    @property
    def not_found(self) -> bool:
        """The object, or its kind or namespace, does not exist."""
        return self.code == 404

    @property
    def conflict(self) -> bool:
        """Another field manager owns a field, or the object changed meanwhile."""
        return self.code == 409 and self.reason == "Conflict"

    @property
    def already_exists(self) -> bool:
        """An object of that name exists."""
        return self.code == 409 and self.reason == "AlreadyExists"

    def namespace_missing(self) -> bool:
        """Tell whether it is the namespace that was not found."""
        return self.not_found and self.details.get("kind") == "namespaces"


class NoSuchKind(PluginError):
    """The API server does not serve that apiVersion and kind (a CRD may be missing)."""


class NotReady(PluginError):
    """The object exists in the cluster but did not become ready; it is kept in the state.

    `live` is its last known form, `reasons` the findings, most telling first.
    """

    def __init__(self, message: str, live: Mapping[str, Any], reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.live = dict(live)
        self.reasons = list(reasons)
