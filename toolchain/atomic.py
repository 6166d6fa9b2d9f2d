"""Installs a folder whole or not at all, and once even when two runs want it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from toolchain.progress import Reporter


@contextmanager
def locked(locks: Path, name: str, reporter: Reporter) -> Iterator[None]:
    """Holds the lock `name` of the folder `locks`; says so when another run holds it."""
    locks.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(locks / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        reporter.note(f"{name}: another run is getting it: waiting for it to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def install(target: Path, locks: Path, name: str, reporter: Reporter, make: Callable[[Path], None]) -> None:
    """Makes the folder `target` by `make`, which fills the folder it is given.

    It is filled beside its place and renamed at the end, so `target` is there whole or not at all. Does nothing when
    `target` is there, or is made by another run meanwhile.
    """
    if target.is_dir():
        return
    with locked(locks, name, reporter):
        if target.is_dir():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
        partial.mkdir()
        try:
            make(partial)
            os.rename(partial, target)
        finally:
            _sweep(target)


def _sweep(target: Path) -> None:
    """Removes what unfinished installs left: our own, or of runs that were killed. The lock must be held."""
    for leftover in target.parent.glob(f".{target.name}.partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)
