"""Downloads of official releases from a loopback mirror, with all that can go wrong."""

from __future__ import annotations

import io
import socket
import tarfile
from pathlib import Path

import pytest

from tests.unit.toolchain.server import Mirror
from toolchain.errors import ToolError
from toolchain.pins import Release
from toolchain.sources import official
from toolchain.sources.official import Official, UnavailableError

PATH = "/releases.example/v1/tool"
RELEASE = Release("https://releases.example/v1/tool", ("https://releases.example/v1/tool.sha256",), ())
CONTENT = bytes(range(256)) * 4000


def source(tmp_path: Path, mirror: Mirror) -> Official:
    return Official(tmp_path / "downloads", mirror.url, sleep=lambda seconds: None)


def fetch(tmp_path: Path, mirror: Mirror) -> Path:
    origin = source(tmp_path, mirror)
    return origin.fetch(RELEASE, origin.checksum(RELEASE), lambda done, total: None)


def parts(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "downloads").glob("*.part"))


def test_a_release_is_fetched_and_verified(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)
    told: list[tuple[int, int | None]] = []
    origin = source(tmp_path, mirror)
    file = origin.fetch(RELEASE, origin.checksum(RELEASE), lambda done, total: told.append((done, total)))
    assert file.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert not parts(tmp_path)
    fetch(tmp_path, mirror)
    assert len(mirror.asked(PATH)) == 1, "what is there is not fetched again"


def test_a_wrong_checksum_stops_and_leaves_nothing(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)
    mirror.files[PATH] = b"something else"
    with pytest.raises(ToolError, match=r"releases.example/v1/tool does not have its published sha256 .* refused"):
        fetch(tmp_path, mirror)
    assert not list((tmp_path / "downloads").iterdir())


def test_a_broken_transfer_goes_on_where_it_ended(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)
    mirror.break_at[PATH] = 300_000
    assert fetch(tmp_path, mirror).read_bytes() == CONTENT
    assert mirror.asked(PATH) == [None, "bytes=300000-"]


def test_an_interrupted_run_is_gone_on_with_by_the_next(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)

    def interrupt(done: int, total: int | None) -> None:
        if done > 400_000:
            raise KeyboardInterrupt

    origin = source(tmp_path, mirror)
    with pytest.raises(KeyboardInterrupt):
        origin.fetch(RELEASE, origin.checksum(RELEASE), interrupt)
    (part,) = parts(tmp_path)
    assert 0 < part.stat().st_size < len(CONTENT)
    have = part.stat().st_size
    assert fetch(tmp_path, mirror).read_bytes() == CONTENT
    assert mirror.asked(PATH)[-1] == f"bytes={have}-"


def test_a_server_without_ranges_sends_all_again(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)
    mirror.ranges = False
    mirror.break_at[PATH] = 300_000
    assert fetch(tmp_path, mirror).read_bytes() == CONTENT


def test_a_beginning_of_another_file_is_thrown_away(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)
    mirror.break_at[PATH] = 300_000
    mirror.ranges = False
    origin = source(tmp_path, mirror)
    origin.fetch(RELEASE, origin.checksum(RELEASE), lambda done, total: None)
    (file,) = (tmp_path / "downloads").iterdir()
    file.rename(file.with_name(file.name + ".part"))
    file.with_name(file.name + ".part").write_bytes(b"of an older release")
    mirror.ranges = True
    assert fetch(tmp_path, mirror).read_bytes() == CONTENT


def test_a_whole_part_is_only_verified(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)
    file = fetch(tmp_path, mirror)
    file.rename(file.with_name(file.name + ".part"))
    assert fetch(tmp_path, mirror).read_bytes() == CONTENT


def test_no_such_file_is_unavailable(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT)
    del mirror.files[PATH]
    with pytest.raises(UnavailableError, match=r"/releases.example/v1/tool answers HTTP 404"):
        fetch(tmp_path, mirror)


def test_without_a_checksum_nothing_is_fetched(tmp_path: Path, mirror: Mirror) -> None:
    mirror.files[PATH] = CONTENT
    with pytest.raises(UnavailableError, match=r"tool.sha256 answers HTTP 404"):
        fetch(tmp_path, mirror)
    mirror.files[f"{PATH}.sha256"] = b"nothing of use"
    with pytest.raises(UnavailableError, match=r"tool.sha256 does not list tool"):
        fetch(tmp_path, mirror)
    assert not mirror.asked(PATH)


def test_the_next_checksum_list_serves_when_the_first_is_missing(tmp_path: Path, mirror: Mirror) -> None:
    mirror.publish(PATH, CONTENT, "/releases.example/v1/SHA256SUMS")
    release = Release(RELEASE.url, (*RELEASE.checksums, "https://releases.example/v1/SHA256SUMS"), ())
    origin = source(tmp_path, mirror)
    assert origin.fetch(release, origin.checksum(release), lambda done, total: None).read_bytes() == CONTENT


def test_a_failing_server_is_tried_three_times_then_remembered(tmp_path: Path, mirror: Mirror) -> None:
    mirror.status[f"{PATH}.sha256"] = 503
    mirror.files[f"{PATH}.sha256"] = b""
    origin = source(tmp_path, mirror)
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"fails \(HTTP 503, 3 tries\)"):
            origin.checksum(RELEASE)
    assert len(mirror.requests) == 3


def test_a_server_that_is_down_is_asked_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    origin = Official(tmp_path, url)
    with pytest.raises(UnavailableError, match=r"127.0.0.1:\d+ can't be reached \(.*refused"):
        origin.checksum(RELEASE)
    assert list(origin.unreachable) == [url.removeprefix("http://")]


def test_what_an_archive_holds_is_taken_by_name(tmp_path: Path) -> None:
    download = tmp_path / "tool.tar.gz"
    with tarfile.open(download, "w:gz") as archive:
        for name, mode in (("x/tool", 0o755), ("x/tool-python", 0o755), ("x/README", 0o644), ("../evil", 0o755)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = 2, mode
            archive.addfile(member, io.BytesIO(b"ok"))
    official.unpack(
        download, Release("https://h/tool.tar.gz", (), ("tool", "*evil*", "tool-*")), "tool", tmp_path / "bin"
    )
    assert sorted(file.name for file in (tmp_path / "bin").iterdir()) == ["evil", "tool", "tool-python"]
    assert (tmp_path / "bin" / "tool").stat().st_mode & 0o111
    with pytest.raises(ToolError, match=r"tool.tar.gz has no missing in it"):
        official.unpack(download, Release("https://h/tool.tar.gz", (), ("missing",)), "tool", tmp_path / "other")
