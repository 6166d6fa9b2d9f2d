"""Whose turn it is to stop: one node of the cluster at a time. `python3 -m checker.turn` runs while a node stops.

Two nodes that are asked to stop in the same second would each see all replicas in sync, and both go. So a node takes a
Kubernetes Lease first, looks again, and keeps the lease until it is gone and the others have seen it go. A process of
its own, so that the checker does not hold what it takes to talk to the API.
"""

import datetime
import signal
import sys
import time
from types import FrameType
from typing import Any

from .environment import Environment
from .kubernetes import Api, ApiError
from .leave import leave

HELD = "turn"
"""The file in the pod's run folder that says that the turn is this node's."""
_SECONDS = 30  # after which the lease of a node that died without giving it back is another's
_RENEW = 5
_AGAIN = 0.5
_SEEN = 1.0  # seconds after which every broker has the metadata of a finished controlled shutdown
_GONE = (404, 409)


def is_free(lease: Any, holder: str, now: datetime.datetime) -> bool:
    """Whether `holder` may take a lease. Pure."""
    spec = lease.get("spec") or {}
    if spec.get("holderIdentity") in (None, "", holder):
        return True
    renewed = datetime.datetime.fromisoformat(spec["renewTime"])
    return now - renewed > datetime.timedelta(seconds=spec.get("leaseDurationSeconds") or _SECONDS)


def held_by(holder: str, now: datetime.datetime) -> dict[str, Any]:
    """The spec of a lease that `holder` has. Pure."""
    time = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"holderIdentity": holder, "leaseDurationSeconds": _SECONDS, "acquireTime": time, "renewTime": time}


class Turn:
    """The lease of a cluster."""

    def __init__(self, environment: Environment, api: Api) -> None:
        self._environment, self._api = environment, api
        self._leases = f"/apis/coordination.k8s.io/v1/namespaces/{environment.namespace}/leases"

    def take(self) -> bool:
        """Whether the lease is this pod's now. Raises ApiError when that can't be asked."""
        environment, now = self._environment, datetime.datetime.now(datetime.UTC)
        spec = held_by(environment.pod, now)
        try:
            lease = self._api.get(f"{self._leases}/{environment.lease}")
            if not is_free(lease, environment.pod, now):
                return False
            self._api.replace(f"{self._leases}/{environment.lease}", {**lease, "spec": spec})
        except ApiError as error:
            if error.status not in _GONE:
                raise
            if error.status == 404:
                self._create(spec)
            return False  # look again
        return True

    def _create(self, spec: dict[str, Any]) -> None:
        environment = self._environment
        metadata = {"name": environment.lease, "namespace": environment.namespace}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        try:
            self._api.create(self._leases, body)
        except ApiError as error:
            if error.status not in _GONE:
                raise

    def give_back(self) -> None:
        """Leaves the lease to the next."""
        path = f"{self._leases}/{self._environment.lease}"
        lease = self._api.get(path)
        if (lease.get("spec") or {}).get("holderIdentity") == self._environment.pod:
            self._api.replace(path, {**lease, "spec": {}})

    def is_over(self) -> bool:
        """Whether the StatefulSet is being deleted or scaled to nothing: then no node waits for another."""
        environment = self._environment
        sets = f"/apis/apps/v1/namespaces/{environment.namespace}/statefulsets"
        try:
            found = self._api.get(f"{sets}/{environment.stateful_set}")
        except ApiError as error:
            if error.status != 404:
                raise
            return True
        return bool(found["metadata"].get("deletionTimestamp")) or found["spec"].get("replicas") == 0


class _Ended(Exception):
    pass


def main() -> None:
    """Takes the turn, says so by the file `turn`, keeps it until SIGTERM, when Kafka has ended; gives it back."""

    def end(number: int, frame: FrameType | None) -> None:
        raise _Ended

    signal.signal(signal.SIGTERM, end)
    environment = Environment.read()
    api = Api()
    turn = Turn(environment, api)
    file = environment.run / HELD
    try:
        while True:
            _keep(turn, file)
    except _Ended:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(_SEEN)
        leave(environment, api)
        _give_back(turn)


def _keep(turn: Turn, file: Any) -> None:
    try:
        if turn.is_over():
            file.write_text("over")
        elif turn.take():
            file.write_text("held")
            time.sleep(_RENEW)
            return
        else:
            file.unlink(missing_ok=True)
    except ApiError as error:
        print(error, file=sys.stderr, flush=True)
    time.sleep(_AGAIN)


def _give_back(turn: Turn) -> None:
    try:
        turn.give_back()
    except ApiError as error:
        print(error, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
