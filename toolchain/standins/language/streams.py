"""A child process's output, line by line as it comes, both pipes at once."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterator
from typing import IO


def output_of(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield ("stdout" | "stderr", line) until both pipes are closed."""
    lines: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()

    def read(name: str, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                lines.put((name, line))
        lines.put(None)

    pipes = [(name, pipe) for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)) if pipe]
    for name, pipe in pipes:
        threading.Thread(target=read, args=(name, pipe), daemon=True).start()
    still_open = len(pipes)
    while still_open:
        item = lines.get()
        if item is None:
            still_open -= 1
        else:
            yield item
