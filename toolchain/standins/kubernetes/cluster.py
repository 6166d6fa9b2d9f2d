"""Reading and writing objects of any kind in one cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from toolchain.standins.kubernetes.connection import APPLY_PATCH, JSON_PATCH, Connection
from toolchain.standins.kubernetes.discovery import Discovery
from toolchain.standins.kubernetes.errors import ApiError, PluginError
from toolchain.standins.kubernetes.managers import CREATE_MANAGER, taken_over
from toolchain.standins.kubernetes.naming import Kind, kind_of_object
from toolchain.standins.kubernetes.objects import Object, items, name_of, namespace_of, text

_TAKE_OVER_ATTEMPTS: Final = 10
_DRY_RUN: Final = {"dryRun": "All"}


class Cluster:
    """One cluster: the connection and what it serves."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.discovery = Discovery(connection)

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return the object, None when it does not exist; raises NoSuchKind for a kind not served."""
        path = self.discovery.resource(kind).path(namespace, name)
        return self._unless_missing(lambda: self.connection.request("GET", path))

    def get_again(self, obj: Object) -> Object | None:
        """Return the object's present form, None when it does not exist any more."""
        return self.get(kind_of_object(obj), namespace_of(obj), name_of(obj))

    def select(self, kind: Kind, namespace: str, **query: str) -> list[Object]:
        """Return the objects of a kind in a namespace that fit labelSelector and fieldSelector.

        The answer is [] where the caller may not list them: selections only explain, they never decide.
        """
        path = self.discovery.resource(kind).path(namespace)
        try:
            return items(self.connection.request("GET", path, query), "items")
        except ApiError:
            return []

    def create(self, obj: Object, *, preview: bool = False) -> Object:
        """Create the object; raises ApiError when it exists already. A preview changes nothing."""
        path = self.discovery.resource(kind_of_object(obj)).path(namespace_of(obj))
        query = {"fieldManager": CREATE_MANAGER, **(_DRY_RUN if preview else {})}
        return _object(self.connection.request("POST", path, query, obj))

    def apply(self, obj: Object, manager: str, *, force: bool = False, preview: bool = False) -> Object:
        """Apply the object on the server's side, creating it if it is missing.

        Raises PluginError when another manager owns a field with another value and `force` is off.
        """
        path = self.discovery.resource(kind_of_object(obj)).path(namespace_of(obj), name_of(obj))
        query = {
            "fieldManager": manager,
            "force": "true" if force else "false",
            **(_DRY_RUN if preview else {}),
        }
        try:
            return _object(self.connection.request("PATCH", path, query, obj, APPLY_PATCH))
        except ApiError as error:
            if error.conflict:
                raise PluginError(_conflict(obj, error)) from None
            raise

    def replace(self, obj: Object, manager: str, *, preview: bool = False) -> Object:
        """Put the object in place of the existing one of its name and resource version."""
        path = self.discovery.resource(kind_of_object(obj)).path(namespace_of(obj), name_of(obj))
        query = {"fieldManager": manager, **(_DRY_RUN if preview else {})}
        return _object(self.connection.request("PUT", path, query, obj))

    def take_over(self, obj: Object, manager: str) -> Object:
        """Let the manager own what the object was created with; return the object after that.

        Its status may change meanwhile, so this is tried several times.
        """
        for _ in range(_TAKE_OVER_ATTEMPTS):
            fields = taken_over(obj, manager)
            if fields is None:
                return obj
            try:
                return self._set_managers(obj, fields)
            except ApiError as error:
                if not error.conflict:
                    raise
                obj = self.get_again(obj) or obj
        raise PluginError(f"{obj['kind']} {name_of(obj)} keeps changing; run the update again")

    def _set_managers(self, obj: Object, managed_fields: list[dict[str, Any]]) -> Object:
        """Write the object's managedFields, if it has not changed since it was read."""
        path = self.discovery.resource(kind_of_object(obj)).path(namespace_of(obj), name_of(obj))
        version = text(obj, "metadata", "resourceVersion")
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": managed_fields},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        ]
        return _object(self.connection.request("PATCH", path, None, patch, JSON_PATCH))

    def relinquish(self, obj: Object, manager: str) -> None:
        """Give up the fields that the manager owns; what nobody else owns goes away with it."""
        bare: Object = {
            "apiVersion": obj["apiVersion"],
            "kind": obj["kind"],
            "metadata": {"name": name_of(obj)},
        }
        if namespace_of(obj):
            bare["metadata"]["namespace"] = namespace_of(obj)
        if self.get_again(obj) is not None:
            self.apply(bare, manager)

    def delete(self, kind: Kind, namespace: str, name: str, propagation: str) -> bool:
        """Ask for the object's deletion; False when it did not exist."""
        path = self.discovery.resource(kind).path(namespace, name)
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        answer = self._unless_missing(lambda: self.connection.request("DELETE", path, None, body))
        return answer is not None

    def _unless_missing(self, call: Callable[[], Any]) -> Object | None:
        try:
            return _object(call())
        except ApiError as error:
            if error.not_found:
                return None
            raise


def _object(answer: Any) -> Object:
    if not isinstance(answer, Mapping):
        raise PluginError("the API server answered without an object")
    return dict(answer)


def _conflict(obj: Object, error: ApiError) -> str:
    fields = ", ".join(text(c, "field") for c in items(error.details, "causes"))
    owners = "; ".join(sorted({text(c, "message") for c in items(error.details, "causes")}))
    return (
        f"{obj['kind']} {name_of(obj)}: another field manager owns {fields or 'a field'} ({owners or error}); "
        'leave the field to it, or take it over with the annotation pulumi.com/patchForce: "true"'
    )
