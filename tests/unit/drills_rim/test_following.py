"""No line is lost or taken twice, wherever the connection breaks."""

import threading
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from drills import following
from drills.following import Following
from drills.kubernetes import ExecFailed

LINES = [f"line {number}" for number in range(20)]
FILE = "".join(line + "\n" for line in LINES)


class Kubernetes:
    """Breaks each connection after some characters, in pieces of some size."""

    def __init__(self, breaks: list[int], piece: int) -> None:
        self._breaks, self._piece = breaks, piece

    def output(self, namespace: str, pod: str, container: str, command: list[str]) -> Iterator[bytes]:
        assert (namespace, pod, container) == ("ns", "pod", "producer")
        *bounded, option, begin, _, file = command
        assert (bounded, option, file) == (["timeout", "60", "tail"], "-n", "/drill/producer.jsonl")
        text = "".join(FILE.splitlines(keepends=True)[int(begin[1:]) - 1 :])
        if self._breaks:
            length = self._breaks.pop()
            if length == 0:
                raise ExecFailed("the pod does not answer")
            text = text[:length]
        for at in range(0, len(text), self._piece):
            yield text[at : at + self._piece].encode()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=6), st.integers(1, 30))
def test_every_line_once_and_in_order(breaks: list[int], piece: int) -> None:
    following._RETRY_SECONDS = 0.0
    taken: list[str] = []
    done = threading.Event()

    def take(line: str) -> None:
        taken.append(line)
        if len(taken) >= len(LINES):
            done.set()

    kubernetes: Any = Kubernetes(list(breaks), piece)
    with Following(kubernetes, ("ns", "pod", "producer"), "/drill/producer.jsonl", take):
        assert done.wait(10)
    assert taken == LINES
