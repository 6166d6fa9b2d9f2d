"""What a node says in its container's log: what is new, not the same over and over."""

import time

_QUIET = 30.0  # seconds in which other words, such as a falling number, are no news


class Log:
    """One thing that is told while it changes."""

    def __init__(self) -> None:
        self._kind: object = self  # of no text
        self._text = ""
        self._at = 0.0

    def say(self, text: str, kind: object = None) -> None:
        """Prints a text that is of another `kind` than the last, or differs from it after a while."""
        now = time.monotonic()
        if kind != self._kind or (text != self._text and now - self._at > _QUIET):
            print(text, flush=True)
            self._kind, self._text, self._at = kind, text, now
