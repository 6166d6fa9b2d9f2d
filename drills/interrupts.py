"""Ctrl-C and its like: they end a drill, but never the undoing of what it did."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from drills.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """`with Interrupts(say): …` in the main thread. The first signal raises Interrupted there, once; what follows is
    cleaning up, which further ones don't stop.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._before: dict[signal.Signals, Any] = {}
        self._deferred = False
        self._reason = ""
        self._raised = False

    def __enter__(self) -> "Interrupts":
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def request(self, reason: str) -> None:
        """Ends the drill from another thread."""
        self._reason = self._reason or reason
        os.kill(os.getpid(), signal.SIGTERM)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """What is done in here is done to its end; a signal is heeded after it."""
        before, self._deferred = self._deferred, True
        try:
            yield
        finally:
            self._deferred = before
        self._heed()

    def _handle(self, number: int, _: FrameType | None) -> None:
        self._reason = self._reason or f"by {signal.Signals(number).name}"
        self._say(f"interrupted ({self._reason}): what was done is undone first, please wait")
        self._heed()

    def _heed(self) -> None:
        if self._reason and not self._deferred and not self._raised:
            self._raised = True
            raise Interrupted(self._reason)
