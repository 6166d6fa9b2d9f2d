"""Child processes of the language host: started, watched, interrupted."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Final

# An interrupted program gets this long, in seconds, before it is killed; the engine gives the host itself 5.
STOP_GRACE: Final = 4.0


class Children:
    """The running child processes, so that all of them can be stopped at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped: set[subprocess.Popen[bytes]] = set()

    @contextlib.contextmanager
    def watched(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Count a process among the running ones; on the way out it is ended if it still runs."""
        with self._lock:
            self._running.add(process)
        try:
            yield
        finally:
            self.stop(process)
            with self._lock:
                self._running.discard(process)
                self._stopped.discard(process)

    def stop(self, process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGINT) -> None:
        """Interrupt a process, and kill it if it goes on."""
        if process.poll() is not None:
            return
        self._stopped.add(process)
        process.send_signal(first)
        killer = threading.Timer(STOP_GRACE, process.kill)
        killer.daemon = True
        killer.start()

    def was_stopped(self, process: subprocess.Popen[bytes]) -> bool:
        """Tell whether the process was stopped from here."""
        return process in self._stopped

    def stop_all(self) -> None:
        """Interrupt every process; returns at once."""
        for process in self._now():
            self.stop(process)

    def end_all(self) -> None:
        """Interrupt every process, wait for the ends, and kill what goes on after the grace."""
        running = self._now()
        self.stop_all()
        end = time.monotonic() + STOP_GRACE
        for process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _now(self) -> list[subprocess.Popen[bytes]]:
        with self._lock:
            return list(self._running)
