"""What a rule says of a live object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from toolchain.standins.kubernetes.objects import Object


@dataclass(frozen=True)
class Verdict:
    """`done`: ready. Otherwise `progress` is a line to show, `failed` ends the wait, `reasons` explain it."""

    done: bool
    progress: str = ""
    failed: bool = False
    reasons: list[str] = field(default_factory=list)


READY = Verdict(True)


@dataclass(frozen=True)
class Surroundings:
    """What a rule may know besides the object: `before` the change (None: created), objects it depends on."""

    before: Object | None = None
    endpoints: Object | None = None
    endpoints_settled: bool = True
    storage_class: Object | None = None


class Rule(Protocol):
    """Judges one live object."""

    def __call__(self, live: Mapping[str, Any], around: Surroundings) -> Verdict:
        """Return the verdict on the object as it is now."""
