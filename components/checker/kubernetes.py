"""The Kubernetes API, as much as is asked of it, with the pod's own token."""

import contextlib
import http.client
import json
import os
import ssl
from pathlib import Path
from typing import Any

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_SECONDS = 10
NOT_FOUND, CONFLICT = 404, 409


class ApiError(Exception):
    """The API refused or did not answer; `status` is the HTTP status, 0 for no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests to the API server. Every method raises ApiError."""

    def get(self, path: str) -> Any:
        """The object at a path."""
        return self._request("GET", path)

    def find(self, path: str) -> Any:
        """The object at a path; None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            return None

    def create(self, path: str, body: Any) -> Any:
        """Adds an object to the collection at a path; ApiError 409 when one of that name is there."""
        return self._request("POST", path, body)

    def replace(self, path: str, body: Any) -> Any:
        """Replaces an object; ApiError 409 when it is not the one that `body` was made from (resourceVersion)."""
        return self._request("PUT", path, body)

    def merge(self, path: str, body: Any) -> Any:
        """Changes fields of an object; ApiError 409 when `body` names another resourceVersion."""
        return self._request("PATCH", path, body, "application/merge-patch+json")

    def _request(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Any:
        try:
            # Read each time: the kubelet renews the token.
            token = (_ACCOUNT / "token").read_text()
            context = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
            # By the address that the kubelet tells every container: the cluster's DNS may be what is being drained.
            host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
            headers = {"Authorization": f"Bearer {token}", "Content-Type": content, "Accept": "application/json"}
            connection = http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
            with contextlib.closing(connection):
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                answer = connection.getresponse()
                data = answer.read()
            if answer.status >= 400:
                raise ApiError(answer.status, f"the Kubernetes API refuses {method} {path}: {_reason(data)}")
            return json.loads(data)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ApiError(0, f"the Kubernetes API does not answer: {error or type(error).__name__}") from error


def _reason(answer: bytes) -> str:
    """The message of a Kubernetes Status, or what a proxy before it says."""
    text = answer.decode(errors="replace")
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return str(json.loads(text)["message"])
    return text.strip()[:200]
