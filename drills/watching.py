"""Watches Kafka's pods, the nodes and the budgets, and hands on what changes, as events."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes.client import ApiException
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from drills.kubernetes import ApiFailed, Kubernetes
from drills.model import Event, NodeState, PodState
from drills.observe import budget_state, gone, node_state, pod_state
from drills.target import Target

_WATCH_SECONDS = 30  # then everything is listed anew: what a lost connection hid is found
_RETRY_SECONDS = 0.3

Read = Callable[[Mapping[str, Any], float], Event | None]


class Watching:
    """`with Watching(kubernetes, target, take): …`; `take` gets each event once it differs from the one before."""

    def __init__(self, kubernetes: Kubernetes, target: Target, take: Callable[[Event], None]) -> None:
        self._kubernetes, self._target, self._take = kubernetes, target, take
        self._end, self._lock = threading.Event(), threading.Lock()
        self._last: dict[str, Event] = {}
        core, policy, namespace = kubernetes.core, kubernetes.policy, target.namespace
        sources: list[tuple[str, Callable[..., Any], tuple[str, ...], Read]] = [
            ("pod", core.list_namespaced_pod, (namespace,), lambda one, at: pod_state(one, target, at)),
            ("node", core.list_node, (), node_state),
            (
                "budget",
                policy.list_namespaced_pod_disruption_budget,
                (namespace,),
                lambda one, at: budget_state(one, target, at),
            ),
        ]
        self._threads = [
            threading.Thread(target=self._follow, args=source, name=f"watch-{source[0]}", daemon=True)
            for source in sources
        ]

    def __enter__(self) -> "Watching":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Not joined: a thread ends with its watch, and the drill does not wait for that.
        self._end.set()

    def _follow(self, kind: str, method: Callable[..., Any], arguments: tuple[str, ...], read: Read) -> None:
        while not self._end.is_set():
            try:
                listed = self._kubernetes.call(method, *arguments)
                self._take_all(kind, listed["items"], read)
                changes = Watch().stream(
                    method,
                    *arguments,
                    resource_version=listed["metadata"]["resourceVersion"],
                    timeout_seconds=_WATCH_SECONDS,
                    deserialize=False,
                    _request_timeout=(3.05, _WATCH_SECONDS + 5.0),
                )
                for change in changes:
                    if self._end.is_set():
                        return
                    self._take_one(kind, change["object"], read, deleted=change["type"] == "DELETED")
            except (ApiFailed, ApiException, HTTPError, OSError, ValueError, KeyError):
                self._end.wait(_RETRY_SECONDS)

    def _take_all(self, kind: str, items: list[Mapping[str, Any]], read: Read) -> None:
        there = {f"{kind}/{one['metadata']['name']}" for one in items}
        for one in items:
            self._take_one(kind, one, read, deleted=False)
        with self._lock:
            known = [key for key in self._last if key.startswith(f"{kind}/")]
        for key in known:
            if key not in there:
                self._vanished(key)

    def _take_one(self, kind: str, thing: Mapping[str, Any], read: Read, *, deleted: bool) -> None:
        key = f"{kind}/{thing['metadata']['name']}"
        if deleted:
            self._vanished(key)
        elif event := read(thing, time.time()):
            self._changed(key, event)

    def _vanished(self, key: str) -> None:
        last = self._last.get(key)
        if isinstance(last, PodState):
            self._changed(key, gone(last, time.time()))
        elif isinstance(last, NodeState):
            update = {"at": time.time(), "ready": False, "schedulable": False}
            self._changed(key, last.model_copy(update=update))

    def _changed(self, key: str, event: Event) -> None:
        with self._lock:
            last = self._last.get(key)
            if last is not None and last.model_copy(update={"at": event.at}) == event:
                return
            self._last[key] = event
        self._take(event)
