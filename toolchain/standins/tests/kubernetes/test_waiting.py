"""The waiting loop over a cluster that is played."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from toolchain.standins.kubernetes.cluster import Cluster
from toolchain.standins.kubernetes.errors import ApiError, NotReady, PluginError, Unreachable
from toolchain.standins.kubernetes.waiting import DEFAULT_SECONDS, Waiter, patience


def pod(phase: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "x", "uid": "u"},
        "status": {"phase": phase},
    }


class Played:
    """Answers one after the other; the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def get_again(self, obj: Any) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def select(self, *_: Any, **__: Any) -> list[Any]:
        return []


def waiter(*answers: Any) -> Waiter:
    return Waiter(cast(Cluster, Played(*answers)), lambda line: None, threading.Event())


@pytest.mark.parametrize("passing", [Unreachable("gone"), ApiError(503, "", "busy")])
def test_an_api_server_that_falls_silent_does_not_lose_the_object(passing: PluginError) -> None:
    live = waiter(passing, passing, pod("Succeeded")).until_ready({}, pod("Pending"), None, 5)
    assert live["status"]["phase"] == "Succeeded"


def test_patience_ends_while_the_api_server_is_silent() -> None:
    with pytest.raises(NotReady) as error:
        waiter(Unreachable("gone")).until_ready({}, pod("Pending"), None, 0.3)
    assert error.value.live == pod("Pending")


def test_a_refusal_ends_the_wait() -> None:
    with pytest.raises(ApiError):
        waiter(ApiError(403, "Forbidden", "no")).until_ready({}, pod("Pending"), None, 5)


def test_deleted_meanwhile() -> None:
    with pytest.raises(PluginError, match="Pod a was deleted while it was waited for"):
        waiter(None).until_ready({}, pod("Pending"), None, 5)


def test_gone_once_another_object_has_its_name() -> None:
    other = {**pod("Pending"), "metadata": {"name": "a", "namespace": "x", "uid": "v"}}
    waiter(pod("Running"), other).until_gone({}, pod("Running"), 5)


def test_finalizers_are_named() -> None:
    held = {**pod("Running"), "metadata": {"name": "a", "uid": "u", "finalizers": ["x/protect"]}}
    with pytest.raises(NotReady) as error:
        waiter(held).until_gone({}, pod("Running"), 0.2)
    assert error.value.reasons[0] == "finalizers hold it: x/protect"


def test_patience() -> None:
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "7"}}}
    assert patience(annotated, 0) == 7
    assert patience(annotated, 3) == 3
    assert patience({}, 0) == DEFAULT_SECONDS
