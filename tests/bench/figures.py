"""What the measurements say: medians, ratios, growth. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RATIO_BOUND = 1.2
"""How many times as long as the straight-line program the components may take."""
GROWTH_BOUND = 1.2
"""Exponent of the growth of planning with the number of clusters; 1 is linear."""


@dataclass(frozen=True)
class Pairs:
    """One thing measured on both programs in turns; all in seconds, one of each a round."""

    name: str
    components: tuple[float, ...]
    straight: tuple[float, ...]
    bound: float | None = RATIO_BOUND
    """None where the ratio is only shown."""

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
        return f"{self.name}: {self.ratio:.2f} times the straight-line program; at most {self.bound} is allowed"


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


def turns(number: int) -> tuple[str, str]:
    """Which program comes first in a round: both as often, so that neither gains by a machine that gets busier."""
    return ("components", "straight") if number % 2 == 0 else ("straight", "components")


def best(measurements: Sequence[float]) -> float:
    """The lowest: for work of the processor alone, everything above it is the machine's other work."""
    return min(measurements)
