"""Runs one command: its process group, its pipes, its end by itself, by a timeout or by a cancellation."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final

from toolchain.standins.command.inputs import Execution

# A command that is to stop gets this long, in seconds, between SIGTERM and SIGKILL.
STOP_GRACE: Final = 3.0
# A background process may hold the pipes of a command that ended: silence this long, in seconds, ends the wait.
DRAIN_SILENCE: Final = 1.0
# How much of the output a failure's message carries, in characters: it travels in a gRPC trailer.
TAIL: Final = 4000

Log = Callable[[str], None]


class CommandError(Exception):
    """The command failed, was stopped, or could not be started; the text is for the user."""


@dataclass(frozen=True)
class Output:
    """What a command that succeeded wrote, without the last newline."""

    stdout: str
    stderr: str


class Commands:
    """The commands that run at the moment, so that all of them can be stopped at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[_Running] = set()
        self._cancelled = False

    def cancel(self) -> None:
        """Stop every command with its children, and refuse new ones; returns at once."""
        with self._lock:
            self._cancelled = True
            running = list(self._running)
        for one in running:
            one.stop("cancelled")

    def wait(self, timeout: float) -> None:
        """Wait until no command runs, at most `timeout` seconds."""
        end = time.monotonic() + timeout
        while self._running and time.monotonic() < end:
            time.sleep(0.05)

    def run(self, execution: Execution, log: Log, timeout: float = 0) -> Output:
        """Run a command to its end and return its output; `timeout` is in seconds, 0 for none.

        Raises CommandError.
        """
        running = _start(execution, log)
        with self._lock:
            self._running.add(running)
            cancelled = self._cancelled
        try:
            if cancelled:
                running.stop("cancelled")
            return running.finish(timeout)
        finally:
            with self._lock:
                self._running.discard(running)


def _start(execution: Execution, log: Log) -> _Running:
    try:
        process = subprocess.Popen(
            [*execution.interpreter, execution.command],
            stdin=subprocess.PIPE if execution.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=execution.directory,
            env={**os.environ, **execution.environment},
            # A group of its own: whatever the command starts is stopped with it.
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = f"{error.strerror}: {error.filename!r}" if isinstance(error, OSError) else str(error)
        raise CommandError(_failure(execution, f"could not be started ({reason})", "")) from None
    return _Running(execution, process, log)


class _Running:
    """One running command."""

    def __init__(self, execution: Execution, process: subprocess.Popen[bytes], log: Log) -> None:
        self._execution = execution
        self._process = process
        self._stopped_for = ""
        self._stop_lock = threading.Lock()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._everything: list[bytes] = []
        assert process.stdout is not None
        assert process.stderr is not None
        quiet = execution.logging == "none"
        self._stdout = _Pipe(
            process.stdout,
            self._lines.put if execution.logs_stdout else None,
            [] if quiet else self._everything,
        )
        self._stderr = _Pipe(process.stderr, self._lines.put if execution.logs_stderr else None, self._everything)
        self._logger = threading.Thread(target=self._write_log, args=(log,), daemon=True)
        self._logger.start()
        if process.stdin is not None:
            threading.Thread(target=_feed, args=(process.stdin, execution.stdin), daemon=True).start()

    def _write_log(self, log: Log) -> None:
        while (line := self._lines.get()) is not None:
            log(self._execution.masked(line))

    def stop(self, reason: str) -> None:
        """End the command and its children: SIGTERM, and SIGKILL for what is left after the grace."""
        with self._stop_lock:
            if self._stopped_for or self._process.poll() is not None:
                return
            self._stopped_for = reason
        self._signal(signal.SIGTERM)
        killer = threading.Timer(STOP_GRACE, self._signal, (signal.SIGKILL,))
        killer.daemon = True
        killer.start()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def finish(self, timeout: float) -> Output:
        """Wait for the end, at most `timeout` seconds, and return the output; raises CommandError."""
        try:
            self._process.wait(timeout or None)
        except subprocess.TimeoutExpired:
            self.stop(f"timed out after {timeout:g} s")
            self._process.wait()
        stdout, stderr = self._stdout.collect(), self._stderr.collect()
        self._lines.put(None)
        self._logger.join(timeout=10)
        if self._stopped_for:
            # What outlived its parent must not outlive the stop.
            self._signal(signal.SIGKILL)
        code = self._process.returncode
        if self._stopped_for or code != 0:
            output = b"".join(self._everything).decode(errors="replace")
            raise CommandError(_failure(self._execution, self._stopped_for or _ending(code), output))
        return Output(_text(stdout), _text(stderr))


class _Pipe:
    """One of a command's output pipes, read by a thread."""

    def __init__(self, stream: IO[bytes], line: Log | None, everything: list[bytes]) -> None:
        self._stream = stream
        self._line = line
        self._everything = everything
        self._chunks: list[bytes] = []
        self._collected = False
        self._last_read = time.monotonic()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        rest = b""
        descriptor = self._stream.fileno()
        while chunk := os.read(descriptor, 65536):
            self._last_read = time.monotonic()
            if self._collected:
                continue  # Keep a background process's pipe open and empty, or it would block or die.
            self._chunks.append(chunk)
            self._everything.append(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            self._log(lines)
        self._log([rest] if rest and not self._collected else [])
        self._stream.close()

    def _log(self, lines: list[bytes]) -> None:
        if self._line:
            for line in lines:
                self._line(line.decode(errors="replace").rstrip("\r"))

    def collect(self) -> bytes:
        """Return what was read once the pipe is closed, or silent although the command has ended."""
        ended = time.monotonic()
        while self._thread.is_alive() and time.monotonic() - max(ended, self._last_read) < DRAIN_SILENCE:
            self._thread.join(timeout=0.05)
        self._collected = True
        return b"".join(self._chunks)


def _feed(stream: IO[bytes], text: str) -> None:
    # The command need not read its input.
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(text.encode())


def _ending(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"signal: {signal.Signals(-code).name}"


def _failure(execution: Execution, what: str, output: str) -> str:
    output = execution.masked(output.strip("\n"))
    if len(output) > TAIL:
        output = "…" + output[-TAIL:]
    command = execution.masked(execution.command)
    if len(command) > TAIL:
        command = command[:TAIL] + "…"
    return f"{what}: running {json.dumps(command, ensure_ascii=False)}:\n{output}"


def _text(data: bytes) -> str:
    return data.decode(errors="replace").removesuffix("\n")
