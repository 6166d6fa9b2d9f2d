"""Follows a file in a pod, line by line: none is lost or taken twice, however often the connection breaks."""

import contextlib
import threading
import time
from collections.abc import Callable

from websocket import WebSocketException

from drills.kubernetes import ExecFailed, Kubernetes

_RETRY_SECONDS = 0.3
_SILENCE_SECONDS = 15.0  # then the connection may be half open: another one is made
_LONGEST = "60"  # seconds: a command in a pod outlives its connection


class Following:
    """`with Following(kubernetes, namespace, pod, container, file, take): …`; `take` gets each line without its end."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        place: tuple[str, str, str],
        file: str,
        take: Callable[[str], None],
    ) -> None:
        """`place`: namespace, pod and container."""
        self._kubernetes, self._place, self._file, self._take = kubernetes, place, file, take
        self._lines = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow-{file}", daemon=True)

    def __enter__(self) -> "Following":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._read()
            except (ExecFailed, WebSocketException, OSError):
                self._end.wait(_RETRY_SECONDS)

    def _read(self) -> None:
        """One connection, from the first line that was not taken yet."""
        # -F: by its name, also when the file is not there yet
        command = ["timeout", _LONGEST, "tail", "-n", f"+{self._lines + 1}", "-F", self._file]
        rest, heard = b"", time.monotonic()
        with contextlib.closing(self._kubernetes.output(*self._place, command)) as parts:
            for part in parts:
                if part:
                    heard = time.monotonic()
                if self._end.is_set() or time.monotonic() - heard > _SILENCE_SECONDS:
                    return
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    self._lines += 1
                    self._take(line.decode(errors="replace"))
        self._end.wait(_RETRY_SECONDS)
