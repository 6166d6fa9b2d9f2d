"""Settings as text, read as what they mean: the same for every source of settings."""

from abc import ABC, abstractmethod

from policies.manifest import whole_number
from policies.rules.model import Fact


class TypedSettings(ABC):
    """Numbers and flags on top of whatever gives the text of a setting."""

    @abstractmethod
    def text(self, key: str) -> Fact[str]:
        """The setting, or its default."""

    def number(self, key: str) -> Fact[int]:
        """The setting as a whole number, or its default."""
        text = self.text(key)
        if text.value is None:
            return Fact(text.path, undecided=text.undecided)
        number = whole_number(text.path, text.value)
        return Fact(number.path, number.value, number.undecided, text.note)

    def flag(self, key: str) -> Fact[bool]:
        """The setting as true or false, or its default."""
        text = self.text(key)
        return Fact(
            text.path, None if text.value is None else text.value.strip().lower() == "true", text.undecided, text.note
        )
