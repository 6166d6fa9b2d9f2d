"""Waits until objects are ready or gone, showing progress and, at the end of patience, why they are not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from toolchain.standins.kubernetes.cluster import Cluster
from toolchain.standins.kubernetes.errors import ApiError, NotReady, PluginError
from toolchain.standins.kubernetes.naming import Kind, kind_of_object
from toolchain.standins.kubernetes.objects import (
    SKIP_AWAIT,
    TIMEOUT_SECONDS,
    WAIT_FOR,
    Object,
    annotation,
    field,
    is_true,
    items,
    name_of,
    namespace_of,
    owned_by,
    text,
)
from toolchain.standins.kubernetes.wait.others import waits_for_pods
from toolchain.standins.kubernetes.wait.pods import reasons_of
from toolchain.standins.kubernetes.wait.rules import SKIPPED_ON_DELETE, own_rule, rule_for
from toolchain.standins.kubernetes.wait.verdict import Rule, Surroundings, Verdict

DEFAULT_SECONDS: Final = 600.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0
# How long a Service's endpoints must stay as they are before they count (the official plugin: 10 s).
_SETTLE_SECONDS: Final = 2.0
_PASSING_CODES: Final = frozenset({429, 500, 502, 503, 504})
_POD, _EVENT = Kind("", "v1", "Pod"), Kind("", "v1", "Event")
_ENDPOINTS, _STORAGE_CLASS = Kind("", "v1", "Endpoints"), Kind("storage.k8s.io", "v1", "StorageClass")


@dataclass
class Waiter:
    """Waits for one resource: `say` shows a passing line, `cancelled` ends every wait."""

    cluster: Cluster
    say: Callable[[str], None]
    cancelled: threading.Event

    def until_ready(self, inputs: Object, live: Object, before: Object | None, timeout_seconds: float) -> Object:
        """Return the live object once it is ready; raises NotReady when it fails or patience ends."""
        rule = _rule(inputs, kind_of_object(live))
        if rule is None:
            return live
        ends = time.monotonic() + patience(inputs, timeout_seconds)
        around = _Around(self.cluster, before)
        shown = ""
        for pause in _pauses():
            try:
                verdict = rule(live, around.of(live))
            except PluginError as error:
                verdict = _unanswered(error)
            if verdict.done:
                if shown:
                    self.say("")
                return live
            if verdict.failed:
                raise self._not_ready(live, f"{live['kind']} {name_of(live)} failed", verdict.reasons)
            if verdict.progress != shown:
                shown = verdict.progress
                self.say(shown)
            if time.monotonic() >= ends:
                waited = f"{live['kind']} {name_of(live)} was not ready in time"
                raise self._not_ready(live, waited, verdict.reasons)
            if self.cancelled.wait(min(pause, max(ends - time.monotonic(), 0.01))):
                raise self._not_ready(live, "the wait was cancelled", verdict.reasons)
            try:
                found = self.cluster.get_again(live)
            except PluginError as error:
                self.say(f"{_unanswered(error).progress}; trying again")
                continue
            if found is None:
                raise PluginError(f"{live['kind']} {name_of(live)} was deleted while it was waited for")
            live = found
        return live

    def judge(self, inputs: Object, live: Object) -> None:
        """Judge the object once, as it is; raises NotReady when it is not ready."""
        rule = None if is_true(inputs, SKIP_AWAIT) else rule_for(kind_of_object(live))
        if rule is None:
            return
        verdict = rule(live, _Around(self.cluster, live, settle=False).of(live))
        if not verdict.done:
            raise self._not_ready(live, f"{live['kind']} {name_of(live)} is not ready", verdict.reasons)

    def until_gone(self, inputs: Object, live: Object, timeout_seconds: float) -> None:
        """Return once the object is gone; raises NotReady when it is still there at the end of patience."""
        kind = kind_of_object(live)
        if is_true(inputs, SKIP_AWAIT) and kind.name in SKIPPED_ON_DELETE:
            return
        ends = time.monotonic() + patience(inputs, timeout_seconds)
        uid = text(live, "metadata", "uid")
        for pause in _pauses():
            found = self.cluster.get_again(live)
            if found is None or (uid and text(found, "metadata", "uid") != uid):
                return
            finalizers = [str(f) for f in items(found, "metadata", "finalizers")]
            reasons = [f"finalizers hold it: {', '.join(finalizers)}"] if finalizers else []
            if time.monotonic() >= ends or self.cancelled.wait(pause):
                raise NotReady(f"{kind.name} {name_of(live)} was not deleted in time", found, reasons)
            if pause >= _LONGEST_PAUSE_SECONDS:
                self.say(f"deleting; {reasons[0]}" if reasons else "deleting")

    def _not_ready(self, live: Object, message: str, reasons: list[str]) -> NotReady:
        try:
            explained = self._explanations(live)
        except PluginError as error:
            explained = [str(error)]
        return NotReady(message, live, [*reasons, *explained])

    def _explanations(self, live: Object) -> list[str]:
        """Return what pods and events tell about an object that is not ready."""
        uid, namespace = text(live, "metadata", "uid"), namespace_of(live)
        found: list[str] = []
        labels = field(live, "spec", "selector", "matchLabels")
        if isinstance(labels, Mapping) and labels:
            selector = ",".join(f"{k}={v}" for k, v in labels.items())
            pods = self.cluster.select(_POD, namespace, labelSelector=selector)
            owned = pods if live["kind"] == "Deployment" else owned_by(pods, uid)
            found += reasons_of(owned)
        events = self.cluster.select(
            _EVENT, namespace or "default", fieldSelector=f"involvedObject.uid={uid},type=Warning"
        )
        told = [f"[{text(e, 'reason')}] {text(e, 'message')}" for e in events[-3:]]
        return found + [t for t in dict.fromkeys(told) if t not in found]


def _unanswered(error: PluginError) -> Verdict:
    """Return the verdict while the API server gives no answer: what was made must not be forgotten for it."""
    if isinstance(error, ApiError) and error.code not in _PASSING_CODES:
        raise error
    return Verdict(False, str(error), reasons=[str(error)])


def _rule(inputs: Object, kind: Kind) -> Rule | None:
    if is_true(inputs, SKIP_AWAIT):
        return None
    written = annotation(inputs, WAIT_FOR)
    return own_rule(written) if written else rule_for(kind)


def patience(inputs: Object, timeout_seconds: float) -> float:
    """Return how long to wait, in seconds: customTimeouts, else the annotation, else 10 minutes."""
    if timeout_seconds:
        return timeout_seconds
    written = annotation(inputs, TIMEOUT_SECONDS)
    return float(written) if written.isdigit() else DEFAULT_SECONDS


def _pauses() -> Any:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


class _Around:
    """Fetches what the rules of some kinds need besides the object."""

    def __init__(self, cluster: Cluster, before: Object | None, settle: bool = True) -> None:
        self._cluster = cluster
        self._before = before
        self._settle = settle
        self._since = time.monotonic()
        self._endpoints: Any = None

    def of(self, live: Object) -> Surroundings:
        if live["kind"] == "Service" and waits_for_pods(live):
            return self._service(live)
        if live["kind"] == "PersistentVolumeClaim":
            name = text(live, "spec", "storageClassName")
            found = self._cluster.get(_STORAGE_CLASS, "", name) if name else None
            return Surroundings(self._before, storage_class=found)
        return Surroundings(self._before)

    def _service(self, live: Object) -> Surroundings:
        endpoints = self._cluster.get(_ENDPOINTS, namespace_of(live), name_of(live))
        if (subsets := items(endpoints, "subsets")) != self._endpoints:
            self._endpoints, self._since = subsets, time.monotonic()
        settled = not self._settle or time.monotonic() - self._since >= _SETTLE_SECONDS
        return Surroundings(self._before, endpoints, settled)
