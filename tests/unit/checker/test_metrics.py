"""What the checker tells Prometheus."""

import os
from pathlib import Path

import pytest

from components.checker.metrics import exposition


def test_disks_and_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.statvfs_result((4096, 4096, 1000, 300, 250, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda disk: found)
    assert exposition([Path("/data"), Path("/data-1")], in_sync=True).splitlines() == [
        "# TYPE kafka_in_sync gauge",
        "kafka_in_sync 1",
        "# TYPE kafka_disk_size_bytes gauge",
        f'kafka_disk_size_bytes{{disk="/data"}} {950 * 4096}',  # less what is root's alone
        f'kafka_disk_size_bytes{{disk="/data-1"}} {950 * 4096}',
        "# TYPE kafka_disk_available_bytes gauge",
        f'kafka_disk_available_bytes{{disk="/data"}} {250 * 4096}',
        f'kafka_disk_available_bytes{{disk="/data-1"}} {250 * 4096}',
    ]


def test_the_end_of_a_certificate_is_told_where_there_is_one() -> None:
    assert exposition([], True, 1.8e9).splitlines()[-1] == "kafka_certificate_end_seconds 1800000000"
    assert "certificate" not in exposition([], True)


def test_a_disk_that_can_not_be_asked_is_left_out(tmp_path: Path) -> None:
    assert exposition([tmp_path / "gone"], in_sync=False).count("kafka_disk_size_bytes{") == 0
    assert "kafka_in_sync 0" in exposition([], in_sync=False)
