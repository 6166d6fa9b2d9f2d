"""What the measurements say: medians, ratios, growth. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RATIO_BOUND = 1.2
"""How many times as long as the straight-line program the components may take."""
GROWTH_BOUND = 1.2
"""Exponent of the growth of planning with the number of clusters; 1 is linear."""
PACK_BOUND = 1.1
"""How many times as long as a preview with an empty policy pack one with this project's may take."""
SECONDS_BOUND = 3.0
"""For the most resources through the rules."""
MEMORY_BOUND = 150.0
"""MiB of the whole interpreter that holds them."""


@dataclass(frozen=True)
class Pairs:
    """One thing measured on both programs in turns; all in seconds, one of each a round. `other` names what the
    second one is.
    """

    name: str
    components: tuple[float, ...]
    straight: tuple[float, ...]
    bound: float | None = RATIO_BOUND
    """None where the ratio is only shown."""
    other: str = "the straight-line program"

    def __post_init__(self) -> None:
        if not self.components or len(self.components) != len(self.straight):
            raise ValueError(
                f"{self.name}: {len(self.components)} and {len(self.straight)} measurements; "
                "as many of each are needed, and at least one"
            )

    @property
    def medians(self) -> tuple[float, float]:
        """Of the components, and of the straight-line program."""
        return statistics.median(self.components), statistics.median(self.straight)

    @property
    def ratio(self) -> float:
        """Of the medians."""
        components, straight = self.medians
        return components / straight

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest ratio of a round: how far the machine's noise reaches."""
        ratios = [one / other for one, other in zip(self.components, self.straight, strict=True)]
        return min(ratios), max(ratios)

    @property
    def missed(self) -> str | None:
        """What to tell when the bound is missed."""
        if self.bound is None or self.ratio <= self.bound:
            return None
        return f"{self.name}: {self.ratio:.2f} times {self.other}; at most {self.bound} is allowed"


@dataclass(frozen=True)
class Growth:
    """Seconds by size."""

    seconds: Mapping[int, float]
    bound: float = GROWTH_BOUND

    def __post_init__(self) -> None:
        if len(self.seconds) < 2:
            raise ValueError(f"growth needs at least two sizes, got {len(self.seconds)}")

    @property
    def exponent(self) -> float:
        """Of the power of the size that fits the seconds best: 1 is linear, 2 quadratic."""
        return statistics.linear_regression(
            [math.log(size) for size in self.seconds], [math.log(value) for value in self.seconds.values()]
        ).slope

    def each(self, size: int) -> float:
        """Seconds for one of `size`."""
        return self.seconds[size] / size

    @property
    def per_one_ratio(self) -> float:
        """Seconds for one of the most, to seconds for one of the fewest; 1 is linear."""
        return self.each(max(self.seconds)) / self.each(min(self.seconds))

    @property
    def missed(self) -> str | None:
        """What to tell when the bound is missed."""
        if self.exponent <= self.bound:
            return None
        return f"planning grows with the {self.exponent:.2f}th power of the clusters; at most {self.bound} is allowed"


@dataclass(frozen=True)
class Rules:
    """What resources through the rules take: seconds by their number, and MiB of memory for the most of them."""

    growth: Growth
    memory: float

    @property
    def most(self) -> int:
        """The largest number of resources."""
        return max(self.growth.seconds)

    @property
    def missed(self) -> str | None:
        """What to tell when a bound is missed."""
        parts = []
        if (seconds := self.growth.seconds[self.most]) > SECONDS_BOUND:
            parts.append(f"{self.most} resources take {seconds:.2f} s; at most {SECONDS_BOUND} is allowed")
        if self.memory > MEMORY_BOUND:
            parts.append(f"{self.most} resources take {self.memory:.0f} MiB; at most {MEMORY_BOUND:.0f} is allowed")
        if self.growth.exponent > self.growth.bound:
            parts.append(
                f"the seconds grow with the {self.growth.exponent:.2f}th power of the resources; at most "
                f"{self.growth.bound} is allowed"
            )
        return f"rules: {'; '.join(parts)}" if parts else None


def turns(number: int) -> tuple[str, str]:
    """Which program comes first in a round: both as often, so that neither gains by a machine that gets busier."""
    return ("components", "straight") if number % 2 == 0 else ("straight", "components")


def best(measurements: Sequence[float]) -> float:
    """The lowest: for work of the processor alone, everything above it is the machine's other work."""
    return min(measurements)
