"""The second way: an official release, its checksum verified.

A download goes on where an interrupted one ended (`Range`, where the server can), and becomes visible under its own
name only when its checksum is right.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import tenacity

from toolchain.errors import ToolError
from toolchain.pins import Release
from toolchain.sources import checksums
from toolchain.sources.checksums import Checksum

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
TRIES = 3
Told = Callable[[int, int | None], None]
Result = TypeVar("Result")


class UnavailableError(Exception):
    """The official release can't be had now, for `reasons`. The next way may serve."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class _PassingError(Exception):
    """The transfer broke; trying again goes on where it ended."""


@dataclass
class Official:
    """Fetches releases into the folder `downloads`.

    `mirror` is put before each address: `https://MIRROR/HOST/PATH`. `unreachable` remembers the hosts that didn't
    answer, with the reason, so that each is waited for once only.
    """

    downloads: Path
    mirror: str | None = None
    unreachable: dict[str, str] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep

    def checksum(self, release: Release) -> Checksum:
        """The published checksum of a release.

        Raises:
            UnavailableError: no such host, the server is down, or nobody publishes a checksum of it.
        """
        reasons: list[str] = []
        for url in release.checksums:
            try:
                text = self._get(url)
            except UnavailableError as error:
                reasons += error.reasons
                continue
            found = checksums.find(text, release.filename)
            if found:
                return found
            reasons.append(f"{self._address(url)} does not list {release.filename}")
        raise UnavailableError(*dict.fromkeys(reasons))

    def fetch(self, release: Release, wanted: Checksum, told: Told) -> Path:
        """Downloads a release and verifies it; returns its path in `downloads`.

        Raises:
            UnavailableError: no such host, no such file, or the server is down.
            ToolError: the file doesn't have the checksum `wanted`.
        """
        target = self.downloads / f"{hashlib.sha256(release.url.encode()).hexdigest()[:12]}-{release.filename}"
        if target.exists() and wanted.matches(target):
            return target
        self.downloads.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        resumed = part.exists()
        self._download(release.url, part, told)
        if resumed and not wanted.matches(part):  # the rest may belong to another file than the beginning
            part.unlink()
            self._download(release.url, part, told)
        if not wanted.matches(part):
            part.unlink()
            raise ToolError(
                f"{self._address(release.url)} does not have its published {wanted.algorithm} {wanted.value}: it was "
                "refused and nothing was installed; ask whoever runs the network or the mirror, and try again with "
                "REFRESH=1, or build from the package registries with KAFKA_HA_TOOLS=registries"
            )
        os.replace(part, target)
        return target

    def _address(self, url: str) -> str:
        if not self.mirror:
            return url
        parts = urlsplit(url)
        return f"{self.mirror.rstrip('/')}/{parts.netloc}{parts.path}"

    def _get(self, url: str) -> str:
        def ask() -> str:
            with self._client() as client, _translated():
                answer = client.get(self._address(url))
                _judge(self._address(url), answer)
                return answer.text

        return self._tried(url, ask)

    def _download(self, url: str, part: Path, told: Told) -> None:
        def go_on() -> None:
            have = part.stat().st_size if part.exists() else 0
            headers = {"Range": f"bytes={have}-"} if have else {}
            with (
                self._client() as client,
                _translated(),
                client.stream("GET", self._address(url), headers=headers) as answer,
            ):
                if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return  # it is whole already; the checksum will tell
                _judge(self._address(url), answer)
                if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                    have = 0
                length = answer.headers.get("Content-Length")
                total = have + int(length) if length else None
                with part.open("ab" if have else "wb") as file:
                    for chunk in answer.iter_raw():
                        file.write(chunk)
                        have += len(chunk)
                        told(have, total)

        self._tried(url, go_on)

    def _tried(self, url: str, work: Callable[[], Result]) -> Result:
        address = self._address(url)
        host = urlsplit(address).netloc
        if host in self.unreachable:
            raise UnavailableError(self.unreachable[host])
        retry = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_PassingError),
            stop=tenacity.stop_after_attempt(TRIES),
            wait=tenacity.wait_exponential(multiplier=0.5, max=5),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retry(work)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            reason = f"{host} can't be reached ({_why(error)})"
        except _PassingError as error:
            reason = f"{host} fails ({error}, {TRIES} tries)"
        self.unreachable[host] = reason
        raise UnavailableError(reason)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            follow_redirects=True,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity", "User-Agent": "kafka-ha-toolchain"},
        )


def _judge(url: str, answer: httpx.Response) -> None:
    if answer.status_code >= 500 or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise _PassingError(f"HTTP {answer.status_code}")
    if answer.is_error:
        raise UnavailableError(f"{url} answers HTTP {answer.status_code}")


@contextmanager
def _translated() -> Iterator[None]:
    """Tells a connection that can't be made (final) from a transfer that breaks (passing)."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise
    except httpx.TransportError as error:
        raise _PassingError(_why(error)) from error


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


def unpack(download: Path, release: Release, name: str, into: Path) -> None:
    """Puts the programs of a verified download into the folder `into`: `name`, or what `release.take` names.

    Raises:
        ToolError: the archive lacks a file that it must have.
    """
    into.mkdir(parents=True, exist_ok=True)
    if not release.take:
        shutil.copyfile(download, into / name)
        (into / name).chmod(0o755)
        return
    with tarfile.open(download) as archive:
        for member in archive:
            base = member.name.rsplit("/", 1)[-1]
            if not member.isfile() or not any(fnmatch.fnmatchcase(base, wanted) for wanted in release.take):
                continue
            content = archive.extractfile(member)
            if content is None:
                continue
            with content, (into / base).open("wb") as file:
                shutil.copyfileobj(content, file)
            (into / base).chmod(0o755 if member.mode & 0o100 else 0o644)
    if not (into / release.take[0]).exists():
        raise ToolError(
            f"{release.filename} has no {release.take[0]} in it: report it, and use KAFKA_HA_TOOLS=registries"
        )
