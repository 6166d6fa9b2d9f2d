"""What the clock of a pod's node is ahead of this machine's: all times of a record are by this machine's."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from websocket import WebSocketException

from drills.kubernetes import ExecFailed, Kubernetes

_ROUNDS = 5
_SECONDS = 10.0
_SCRIPT = 'while read -r _; do echo "$EPOCHREALTIME"; done'


class Offset(NamedTuple):
    """Seconds to subtract from the pod's times, and how far off that may be."""

    seconds: float
    within: float


def measure(kubernetes: Kubernetes, namespace: str, pod: str, container: str) -> Offset:
    """Asks for the time there some times, by one connection (as NTP does). The container needs bash 5. Raises
    ExecFailed.
    """
    channels = kubernetes.open(namespace, pod, container, ["bash", "-c", _SCRIPT], stdin=True)
    try:
        return best([_ask(channels, time.time) for _ in range(_ROUNDS)])
    except (WebSocketException, OSError, ValueError) as error:
        raise ExecFailed(f"the clock of {pod} can't be asked: {error}") from None
    finally:
        channels.close()


def _ask(channels: Any, now: Callable[[], float]) -> tuple[float, float, float]:
    sent = now()
    channels.write_stdin("\n")
    told = channels.readline_stdout(timeout=_SECONDS)
    return sent, float(told), now()


def best(answers: list[tuple[float, float, float]]) -> Offset:
    """Of the answer that took least: when it was asked, what it said, when that came. It was said half way; on the
    same machine, where it can't be told from none, the offset is 0.
    """
    sent, told, came = min(answers, key=lambda one: one[2] - one[0])
    within = (came - sent) / 2
    offset = told - (sent + came) / 2
    return Offset(0.0 if abs(offset) <= within else offset, within)
