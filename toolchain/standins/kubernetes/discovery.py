"""Which kinds an API server serves, where, and whether they are namespaced: asked once and remembered."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from toolchain.standins.kubernetes.connection import Connection
from toolchain.standins.kubernetes.errors import ApiError, NoSuchKind
from toolchain.standins.kubernetes.naming import Kind


@dataclass(frozen=True)
class Resource:
    """Where objects of a kind are served: the path of its group and version, its plural, its scope."""

    base: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the URL path of one object, or of the collection without a name."""
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.base}{scope}/{self.plural}" + (f"/{name}" if name else "")


class Discovery:
    """Remembers what each API group and version serves; safe to use from several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._served: dict[str, dict[str, Resource]] = {}

    def find(self, kind: Kind) -> Resource | None:
        """Return where the kind is served, None when it is not; what was not found is asked again."""
        with self._lock:
            served = self._served.get(kind.api_version)
            if served is None or kind.name not in served:
                served = self._served[kind.api_version] = self._ask(kind)
            return served.get(kind.name)

    def resource(self, kind: Kind) -> Resource:
        """Return where the kind is served; raises NoSuchKind when it is not."""
        found = self.find(kind)
        if found is None:
            raise NoSuchKind(
                f"the API server does not serve {kind.name} in {kind.api_version}; "
                "if it is a custom resource, create its CustomResourceDefinition first"
            )
        return found

    def forget(self) -> None:
        """Forget everything, as after a custom resource definition was created or changed."""
        with self._lock:
            self._served.clear()

    def _ask(self, kind: Kind) -> dict[str, Resource]:
        base = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        try:
            listed = self._connection.request("GET", base)
        except ApiError as error:
            if error.not_found:
                return {}
            raise
        return {
            entry["kind"]: Resource(base, entry["name"], bool(entry.get("namespaced")))
            for entry in listed.get("resources", [])
            if "/" not in entry["name"]  # sub-resources, such as statefulsets/scale
        }
