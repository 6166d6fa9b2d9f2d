"""Whose turn it is to stop: one node of the cluster at a time.

Two nodes that are asked to stop in the same second would each see all replicas in sync, and both go. So a node takes a
Kubernetes Lease first, looks again, and keeps the lease until it is gone and the others have seen it go.

No two clocks are compared: as in client-go's leader election, a lease has run out when it has not changed for its
duration by the clock of the node that watches it. Its holder counts on it for less, by its own clock: so much less that
Kafka can still end in its turn when the API is never reached again.
"""

import datetime
import time
from math import inf
from typing import Any

from .environment import Environment
from .kubernetes import CONFLICT, Api, ApiError

SHUTDOWN = 30  # seconds of the grace period that are kept for Kafka's controlled shutdown
TRUSTED = 15  # seconds after which a holder that can't renew its lease no longer counts on it
SECONDS = TRUSTED + SHUTDOWN  # after which the lease of a node that died without giving it back is another's
RENEW = 5  # seconds
_ORPHAN = "orphan"  # finalizer of an object that is deleted without those that it owns
_GONE = 10.0  # seconds: a StatefulSet that is made anew around its pods is gone for less


class Turn:
    """The lease of a cluster, and this pod's hold on it."""

    def __init__(self, environment: Environment, api: Api) -> None:
        self._pod, self._name, self._namespace = environment.pod, environment.lease, environment.namespace
        self._leases = f"/apis/coordination.k8s.io/v1/namespaces/{self._namespace}/leases"
        self._set = f"/apis/apps/v1/namespaces/{self._namespace}/statefulsets/{environment.stateful_set}"
        self._api = api
        self._taken = -inf
        self._may_be_ours = False
        self._version, self._unchanged_since = "", 0.0
        self._gone_since: float | None = None

    @property
    def is_held(self) -> bool:
        """Whether the turn is certainly this pod's."""
        return time.monotonic() - self._taken < TRUSTED

    def take(self) -> bool:
        """Whether the turn is this pod's now; renews it when that is due. Raises ApiError when that can't be asked."""
        now = time.monotonic()
        if now - self._taken < RENEW:
            return True
        try:
            lease = self._api.find(f"{self._leases}/{self._name}")
            if lease and not self._is_free(lease):
                self._taken = -inf
                return False
            self._may_be_ours = True  # even when the answer is lost
            self._write(lease)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            return False  # another node was faster
        self._taken = now
        return True

    def _is_free(self, lease: Any) -> bool:
        spec, version, now = lease.get("spec") or {}, lease["metadata"]["resourceVersion"], time.monotonic()
        if version != self._version:
            self._version, self._unchanged_since = version, now
        if spec.get("holderIdentity") in (None, "", self._pod):
            return True
        return now - self._unchanged_since > (spec.get("leaseDurationSeconds") or SECONDS)

    def _write(self, lease: Any) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": self._pod, "leaseDurationSeconds": SECONDS, "acquireTime": now, "renewTime": now}
        if lease:
            self._api.replace(f"{self._leases}/{self._name}", {**lease, "spec": spec})
            return
        metadata = {"name": self._name, "namespace": self._namespace}
        self._api.create(
            self._leases,
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec},
        )

    def give_back(self) -> None:
        """Leaves the turn to the next, where it may be this pod's. Raises ApiError."""
        self._taken = -inf
        if not self._may_be_ours:
            return
        lease = self._api.find(f"{self._leases}/{self._name}")
        if lease and (lease.get("spec") or {}).get("holderIdentity") == self._pod:
            self._api.replace(f"{self._leases}/{self._name}", {**lease, "spec": {}})
        self._may_be_ours = False

    def is_over(self) -> bool:
        """Whether the StatefulSet is being deleted together with its pods, or scaled to nothing: then no node waits for
        another. Raises ApiError.
        """
        found, now = self._api.find(self._set), time.monotonic()
        if found is None:
            self._gone_since = self._gone_since or now
            return now - self._gone_since > _GONE
        self._gone_since = None
        metadata = found["metadata"]
        deleted = "deletionTimestamp" in metadata and _ORPHAN not in metadata.get("finalizers", [])
        return deleted or found["spec"].get("replicas") == 0
