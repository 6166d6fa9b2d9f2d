"""A Kubernetes API in memory, with the locking that the checker counts on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from components.checker.kubernetes import CONFLICT, NOT_FOUND, Api, ApiError


class FakeApi(Api):
    """`objects` by path. `before` and `after` are called around each request and may raise, as a lost request and a
    lost answer do.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.requests: list[tuple[str, str]] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self._version = 0

    def put(self, path: str, body: Any) -> Any:
        """Stores an object, as somebody else might."""
        self._version += 1
        stored: dict[str, Any] = copy.deepcopy(body)
        stored.setdefault("metadata", {})["resourceVersion"] = str(self._version)
        self.objects[path] = stored
        return copy.deepcopy(stored)

    def _request(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Any:
        self.requests.append((method, path))
        self.before()
        try:
            return self._answer(method, path, body)
        finally:
            self.after()

    def _answer(self, method: str, path: str, body: Any) -> Any:
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                raise ApiError(CONFLICT, "it exists")
            return self.put(path, body)
        if path not in self.objects:
            raise ApiError(NOT_FOUND, f"{path} not found")
        held = self.objects[path]
        if method == "GET":
            return copy.deepcopy(held)
        if body["metadata"].get("resourceVersion") not in (None, held["metadata"]["resourceVersion"]):
            raise ApiError(CONFLICT, "the object has been modified")
        if method == "PUT":
            return self.put(path, body)
        return self.put(path, held | {"data": held.get("data", {}) | body["data"]})


def unreachable() -> None:
    """For `before` and `after`."""
    raise ApiError(0, "the Kubernetes API does not answer: timed out")
