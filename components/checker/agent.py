"""Fetches the JMX exporter's agent, once for each disk: a node starts anew without the network.

What can't be had costs the node its metrics, never its start.
"""

import contextlib
import hashlib
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

_CONNECT = 5.0  # seconds
_WHOLE = 20.0  # seconds: a start must not wait for long
_PART = 2**16  # bytes
_LONGEST = 2**24  # bytes
_PREFIX = "jmx-exporter-"


class AgentError(Exception):
    """There is no agent; the message says why."""


def agent(url: str, sha256: str, disk: Path) -> Path:
    """The jar with that checksum on the disk, from `url` if it is not there yet. Raises AgentError."""
    jar = disk / f"{_PREFIX}{sha256[:16]}.jar"
    try:
        if jar.exists() and hashlib.sha256(jar.read_bytes()).hexdigest() == sha256:
            return jar
        data = _fetch(url)
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise AgentError(f"{url} has the SHA-256 {found}, not {sha256}: set kafka-ha:kafka.metrics.agent.sha256")
        _put(data, jar)
    except (OSError, ValueError) as error:
        raise AgentError(f"{url} can't be had ({error}): set kafka-ha:kafka.metrics.agent.url") from error
    for old in disk.glob(f"{_PREFIX}*"):
        if old != jar:
            with contextlib.suppress(OSError):
                old.unlink()
    return jar


def _fetch(url: str) -> bytes:
    data = bytearray()
    with _in_time(), urllib.request.urlopen(url, timeout=_CONNECT) as answer:
        while part := answer.read(_PART):
            data += part
            if len(data) > _LONGEST:
                raise OSError(f"more than {_LONGEST >> 20} MiB")
    return bytes(data)


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """Bounds all of it: a host may have many addresses, each of which is waited for, and send its bytes one by one."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not there after {_WHOLE:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, _WHOLE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _put(data: bytes, jar: Path) -> None:
    """Never half a jar, even after a power loss."""
    partial = jar.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(jar)
