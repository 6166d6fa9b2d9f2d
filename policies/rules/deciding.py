"""What rules share: a fact that is not known yet is told as such, once, before it is judged."""

from collections.abc import Iterator
from typing import TypeVar

from policies.rules.model import Fact, Unsure

T = TypeVar("T")


def unsure(*facts: Fact[object] | None) -> Iterator[Unsure]:
    """An answer for each of `facts` that can't be known."""
    for fact in facts:
        if fact is not None and fact.undecided:
            yield Unsure(fact.path, fact.undecided)


def known(fact: Fact[T] | None) -> T | None:
    """The value of a fact that is known, else None."""
    return fact.value if fact is not None and fact.known else None
