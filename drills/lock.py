"""One drill at a time on a cluster: a Lease, which is held by its name and runs out when its holder is gone.

All times are by the API server's clock, so that no machine's own is compared with another's.
"""

import contextlib
import datetime
import email.utils
import getpass
import os
import socket
import threading
from collections.abc import Callable
from typing import Any, Protocol

from drills.errors import DrillError, Refused
from drills.kubernetes import ApiFailed, Manifest

NAME = "kafka-ha-drill"
NAMESPACE = "default"
"""Not Kafka's: a drill takes nodes, which all Kafkas of the cluster share."""
SECONDS = 30
"""After which a Lease that is not renewed is free."""
_RENEW_SECONDS = 8.0
_CONFLICT, _NOT_FOUND = 409, 404

Time = datetime.datetime


class Leases(Protocol):
    """The Leases of a cluster. Every method raises ApiFailed: 404 where there is none, 409 where it has changed."""

    def now(self) -> Time:
        """The API server's time."""

    def read(self) -> Manifest:
        """The Lease."""

    def create(self, lease: Manifest) -> Manifest:
        """Makes it."""

    def replace(self, lease: Manifest) -> Manifest:
        """Replaces it, if it still has the resource version."""

    def delete(self, lease: Manifest) -> None:
        """Deletes it, if it still has the resource version."""


class ClusterLeases:
    """Those of the API server."""

    def __init__(self, kubernetes: Any) -> None:
        self._kubernetes, self._api = kubernetes, kubernetes.leases

    def now(self) -> Time:
        """See Leases."""
        try:
            answer = self._api.list_namespaced_lease(NAMESPACE, limit=1, _preload_content=False)
            return email.utils.parsedate_to_datetime(answer.headers["Date"])
        except Exception as error:  # whatever the transport raises
            raise ApiFailed(f"the API server does not tell the time ({error}).") from None

    def read(self) -> Manifest:
        """See Leases."""
        return dict(self._kubernetes.call(self._api.read_namespaced_lease, NAME, NAMESPACE))

    def create(self, lease: Manifest) -> Manifest:
        """See Leases."""
        return dict(self._kubernetes.call(self._api.create_namespaced_lease, NAMESPACE, lease))

    def replace(self, lease: Manifest) -> Manifest:
        """See Leases."""
        return dict(self._kubernetes.call(self._api.replace_namespaced_lease, NAME, NAMESPACE, lease))

    def delete(self, lease: Manifest) -> None:
        """See Leases."""
        body = {"preconditions": {"resourceVersion": lease["metadata"]["resourceVersion"]}}
        self._kubernetes.call(self._api.delete_namespaced_lease, NAME, NAMESPACE, body=body)


class Lock:
    """`with Lock(leases, "drain-leader", lost): …`; `lost` is called once should the lock be lost meanwhile."""

    def __init__(self, leases: Leases, what: str, lost: Callable[[str], None]) -> None:
        self._leases, self._lost = leases, lost
        self.holder = f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()}): {what}"
        self._lease: Manifest = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lock", daemon=True)

    def __enter__(self) -> "Lock":
        """Raises Refused when another drill holds it."""
        self._lease = self._take()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=10)
        with contextlib.suppress(DrillError):  # it runs out
            self._leases.delete(self._lease)

    def _take(self) -> Manifest:
        now = self._leases.now()
        try:
            found = self._leases.read()
        except ApiFailed as error:
            if error.status != _NOT_FOUND:
                raise
            return self._written(self._leases.create, lease(self.holder, now))
        if left := seconds_left(found, now):
            raise Refused(
                f"a drill runs on this cluster already: {found['spec']['holderIdentity']}. Wait for its end, or, if it "
                f"was killed, {left:.0f} s."
            )
        version = found["metadata"]["resourceVersion"]
        return self._written(self._leases.replace, lease(self.holder, now, version))

    def _written(self, write: Callable[[Manifest], Manifest], wanted: Manifest) -> Manifest:
        try:
            return write(wanted)
        except ApiFailed as error:
            if error.status == _CONFLICT:
                raise Refused("another drill has just begun on this cluster. Wait for its end.") from None
            raise

    def _renew(self) -> None:
        failures = 0
        while not self._end.wait(_RENEW_SECONDS):
            try:
                version = self._lease["metadata"]["resourceVersion"]
                self._lease = self._leases.replace(lease(self.holder, self._leases.now(), version))
                failures = 0
            except ApiFailed as error:
                failures += 1
                # One that was changed by somebody else is theirs; an API server that is away may come back in time.
                if error.status in (_CONFLICT, _NOT_FOUND) or failures * _RENEW_SECONDS >= SECONDS:
                    self._lost(f"the lock of the cluster was lost: {error}")
                    return


def lease(holder: str, now: Time, version: str | None = None) -> Manifest:
    """The Lease of a holder, from now on."""
    # The API wants microseconds, which the client's isoformat leaves out where there are none, as in a Date header.
    at = now.replace(microsecond=now.microsecond or 1).isoformat()
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": NAME, "namespace": NAMESPACE, **({"resourceVersion": version} if version else {})},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": SECONDS, "acquireTime": at, "renewTime": at},
    }


def seconds_left(found: Manifest, now: Time) -> float:
    """Until the Lease runs out; 0 when it is free."""
    spec = found["spec"]
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        return 0.0
    renewed = Time.fromisoformat(spec["renewTime"].replace("Z", "+00:00"))
    return max(0.0, float(spec.get("leaseDurationSeconds", SECONDS)) - (now - renewed).total_seconds())
