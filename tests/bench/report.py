"""The results as text: a table in Markdown, and what was missed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.figures import GROWTH_BOUND, MEMORY_BOUND, PACK_BOUND, RATIO_BOUND, SECONDS_BOUND, Growth, Pairs, Rules


@dataclass(frozen=True)
class Results:
    """One run."""

    date: str
    machine: str
    versions: str
    command: str
    pairs: Sequence[Pairs]
    growth: Growth
    brokers: int
    pack: Pairs
    """A preview with this project's policy pack, and one with an empty one."""
    rules: Rules

    @property
    def missed(self) -> list[str]:
        """A sentence for each bound that is missed."""
        figures: list[Pairs | Growth | Rules] = [*self.pairs, self.growth, self.pack, self.rules]
        return [said for figure in figures if (said := figure.missed)]


def rows(measured: Sequence[Pairs]) -> list[tuple[str, ...]]:
    """Measured, rounds, components, straight-line program, ratio, the rounds' ratios, bound."""
    table: list[tuple[str, ...]] = []
    for pairs in measured:
        components, straight = pairs.medians
        low, high = pairs.spread
        table.append(
            (
                pairs.name,
                str(len(pairs.components)),
                f"{components:.2f} s",
                f"{straight:.2f} s",
                f"{pairs.ratio:.2f}",
                f"{low:.2f} to {high:.2f}",
                f"{pairs.bound}" if pairs.bound else "none",
            )
        )
    return table


HEADER = ("measured", "rounds", "components", "straight line", "ratio", "ratios of the rounds", "bound")
PACK_HEADER = ("measured", "rounds", "this pack", "an empty pack", "ratio", "ratios of the rounds", "bound")


def markdown(results: Results) -> str:
    """The whole page."""
    growth = results.growth
    planning = [
        (str(size), f"{growth.seconds[size]:.3f} s", f"{growth.each(size) * 1000:.2f} ms") for size in growth.seconds
    ]
    through = [
        (str(size), f"{seconds:.2f} s", f"{results.rules.growth.each(size) * 1000:.2f} ms")
        for size, seconds in results.rules.growth.seconds.items()
    ]
    verdict = "; ".join(results.missed) or "every bound is kept"
    return f"""\
# Benchmarks

Written by `{results.command}`; don't edit.

- Date: {results.date}
- Machine: {results.machine}
- Versions: {results.versions}
- Verdict: {verdict}.

## The components beside a straight-line program

Both programs make the same resources on a simulated cluster (kwok) of their own; the other one
(`tests/bench/straight`) has no settings, rules or components. They run in turns, each first in every other round; the
figures are medians, the ratio is that of the medians and must not exceed {RATIO_BOUND}. Both create the cluster by the
same script. `up` is without its preview.

{_table(HEADER, rows(results.pairs))}

## Planning

From settings to manifests (read, judged by the rules, planned, rendered), without the engine, clusters of
{results.brokers} brokers, one topic each; the best of several runs.

{_table(("clusters", "all", "each"), planning)}

The time grows with the power {growth.exponent:.2f} of the number of clusters (1 is linear, at most {GROWTH_BOUND} is
allowed); one of {max(growth.seconds)} takes {growth.per_one_ratio:.2f} times as long as one of {min(growth.seconds)}.

## The policy pack

A preview of the components' program with `--policy-pack policies`, and with a pack whose one policy does nothing, in
turns; the ratio must not exceed {PACK_BOUND}.

{_table(PACK_HEADER, rows([results.pack]))}

The rules alone: resources of Kafka clusters (StatefulSet, Service, ConfigMap, PodDisruptionBudget of each), shown one
by one and judged as in a preview, without the engine; the best of several runs, each in an interpreter of its own.

{_table(("resources", "all", "each"), through)}

{results.rules.most} resources may take {SECONDS_BOUND:g} s; the time grows with the power
{results.rules.growth.exponent:.2f} of their number (at most {GROWTH_BOUND} is allowed). The whole interpreter that
holds them takes {results.rules.memory:.0f} MiB of memory (at most {MEMORY_BOUND:.0f}).
"""


def _table(header: tuple[str, ...], body: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
