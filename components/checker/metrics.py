"""What the checker tells Prometheus, and no MBean does: how full the disks are, whether the node is in sync, and until
when its certificate holds.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_CERTIFICATE = "kafka_certificate_end_seconds"


def exposition(disks: Iterable[Path], in_sync: bool, certificate_end: float | None = None) -> str:
    """Prometheus' text format; a disk that can't be asked is left out."""
    lines = ["# TYPE kafka_in_sync gauge", f"kafka_in_sync {int(in_sync)}"]
    sizes = list(_sizes(disks))
    for name, place in (("kafka_disk_size_bytes", 1), ("kafka_disk_available_bytes", 2)):
        lines += [f"# TYPE {name} gauge", *(f'{name}{{disk="{one[0]}"}} {one[place]}' for one in sizes)]
    if certificate_end is not None:
        lines += [f"# TYPE {_CERTIFICATE} gauge", f"{_CERTIFICATE} {certificate_end:.0f}"]
    return "\n".join(lines)


def _sizes(disks: Iterable[Path]) -> Iterator[tuple[Path, int, int]]:
    for disk in disks:
        try:
            found = os.statvfs(disk)
        except OSError:
            continue
        available = found.f_bavail * found.f_frsize
        yield disk, (found.f_blocks - found.f_bfree) * found.f_frsize + available, available
