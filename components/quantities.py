"""Typed quantities of the settings: durations (`30s`) and Kubernetes quantities (`1Gi`, `500m`), kept as they
were written.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_DURATION = re.compile(r"([0-9]+)(ms|s|m|h)")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_FACTORS: dict[str | None, Decimal] = {
    None: Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T"), 1)},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti"), 1)},
}


@dataclass(frozen=True)
class DurationValue:
    """A span of time; `str()` gives it back as written."""

    text: str
    milliseconds: int

    @property
    def seconds(self) -> int:
        """Whole seconds, rounded up."""
        return -(-self.milliseconds // 1000)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class QuantityValue:
    """A Kubernetes resource quantity; `str()` gives it back as written, `amount` in bytes or cores."""

    text: str
    amount: Decimal

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(self.text)


def parse_duration(value: object) -> DurationValue:
    """`30s` and the like; raises ValueError with what is allowed."""
    if isinstance(value, DurationValue):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError("a duration is a whole number and a unit, ms, s, m or h, such as 30s")
    return DurationValue(match[0], int(match[1]) * _MILLISECONDS[match[2]])


def parse_quantity(value: object) -> QuantityValue:
    """`1Gi`, `500m`, `2` and the like; raises ValueError with what is allowed."""
    if isinstance(value, QuantityValue):
        return value
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if not match or not Decimal(match[1]):
        raise ValueError("a quantity is a number above 0 and a suffix such as Mi, Gi or m, as in 1Gi or 500m")
    return QuantityValue(match[0], Decimal(match[1]) * _FACTORS[match[2]])


_AS_TEXT = PlainSerializer(str, return_type=str)
Duration = Annotated[
    DurationValue,
    PlainValidator(parse_duration),
    _AS_TEXT,
    WithJsonSchema({"type": "string", "pattern": _DURATION.pattern, "examples": ["30s"]}),
]
Quantity = Annotated[
    QuantityValue,
    PlainValidator(parse_quantity),
    _AS_TEXT,
    WithJsonSchema({"type": ["string", "integer"], "pattern": _QUANTITY.pattern, "examples": ["1Gi"]}),
]
