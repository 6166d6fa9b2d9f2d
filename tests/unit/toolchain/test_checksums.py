from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from toolchain.sources import checksums
from toolchain.sources.checksums import Checksum

ONE, TWO = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    "text",
    [
        f"{TWO}  other\n{ONE}  tool\n",
        f"{ONE} *tool\n",
        f"{ONE}  _dist/tool\n",
        f"{ONE.upper()}  ./tool\n",
        f"{ONE}\n",
        json.dumps(
            {"assets": [{"name": "other", "digest": f"sha256:{TWO}"}, {"name": "tool", "digest": f"sha256:{ONE}"}]}
        ),
    ],
    ids=["list", "binary-mode", "folder", "capitals", "bare", "github"],
)
def test_finds_the_checksum(text: str) -> None:
    assert checksums.find(text, "tool") == Checksum("sha256", ONE)


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}  tool.sig\n",
        "",
        "<html>not found</html>",
        "abc\n",
        json.dumps({"assets": [{"name": "tool", "digest": None}]}),
        json.dumps({"message": "rate limit"}),
        "{ broken",
    ],
)
def test_takes_nothing_for_a_checksum_that_is_none(text: str) -> None:
    assert checksums.find(text, "tool") is None


def test_knows_sha512(tmp_path: Path) -> None:
    file = tmp_path / "tool"
    file.write_bytes(b"content")
    found = checksums.find(hashlib.sha512(b"content").hexdigest() + "  tool", "tool")
    assert found is not None
    assert found.matches(file)
    file.write_bytes(b"other")
    assert not found.matches(file)
